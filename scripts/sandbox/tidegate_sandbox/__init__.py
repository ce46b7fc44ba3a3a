"""The sandbox: one process that plays the control plane of AWS on loopback.

moto answers whatever it answers well; the modules here own what it gets wrong
and everything a test wants to see or break.
"""
