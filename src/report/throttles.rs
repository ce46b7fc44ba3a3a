//! stub
pub fn screen(ledger: &crate::metrics::Ledger, _window: crate::metrics::TimeWindow, _now: crate::units::Timestamp) -> String {
    format!("{ledger:#?}")
}
