//! A cloud in memory with a fuse: the nth operation refuses, is lost, comes late, reads stale, or is where the machine
//! dies. Registering a target clamps its capacity, deregistering deletes its policies, as AWS does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::{Cloud, CloudError, Observed};
use crate::journal::{JournalError, Record, Store};
use crate::setting::{Scalable, Setting, State, Suspended};

/// What happens at the nth operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Break {
    /// AWS says no.
    Refuse,
    /// AWS is busy.
    Throttle,
    /// Not done, and no answer.
    LoseBefore,
    /// Done, but no answer.
    LoseAfter,
    /// No answer, and done later.
    Late(Duration),
    /// The machine dies before it is done.
    DieBefore,
    /// The machine dies when it is done.
    DieAfter,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) values: BTreeMap<Setting, State>,
    operations: u64,
    fuse: Option<(u64, Break)>,
    pending: Vec<(Instant, Setting, State)>,
    pub(crate) writes: Vec<(Setting, State)>,
    /// Another one of the same name by now.
    pub(crate) recreated: std::collections::BTreeSet<Setting>,
    /// As soon as the first is written, somebody sets the second.
    pub(crate) meddle: Option<(Setting, Setting, State)>,
    /// The most that all reservations may come to.
    pub(crate) reservable: Option<u32>,
    /// Autoscaling scales out all the time.
    pub(crate) pressing: bool,
    /// What a look shows instead of the truth, until the setting is written again.
    pub(crate) stale: BTreeMap<Setting, State>,
    /// How long AWS is busy with what it accepted, and whether it shows the old value meanwhile (a table) or the new
    /// one (a service).
    pub(crate) slow: Option<(Duration, bool)>,
    working: BTreeMap<Setting, (Instant, State)>,
}

#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) world: Mutex<World>,
    pub(crate) died: Notify,
}

impl Fake {
    pub(crate) fn new(values: BTreeMap<Setting, State>) -> Self {
        Self {
            world: Mutex::new(World {
                values,
                ..World::default()
            }),
            died: Notify::new(),
        }
    }

    pub(crate) fn set_fuse(&self, fuse: Option<(u64, Break)>) {
        let mut world = self.world.lock().unwrap();
        world.operations = 0;
        world.fuse = fuse;
    }

    /// Whether the fuse was reached.
    pub(crate) fn blown(&self) -> bool {
        let world = self.world.lock().unwrap();
        world.fuse.is_some_and(|(at, _)| world.operations >= at)
    }

    pub(crate) fn values(&self) -> BTreeMap<Setting, State> {
        self.world.lock().unwrap().values.clone()
    }

    fn step(&self) -> Option<Break> {
        let mut world = self.world.lock().unwrap();
        world.operations += 1;
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut world.pending).into_iter().partition(|(at, ..)| *at <= now);
        world.pending = later;
        for (_, setting, state) in due {
            world.put(&setting, &state);
        }
        if world.pressing {
            world.load();
        }
        world.fuse.filter(|(at, _)| *at == world.operations).map(|(_, kind)| kind)
    }

    /// Whether AWS still works on something.
    pub(crate) fn is_busy(&self) -> bool {
        self.world
            .lock()
            .unwrap()
            .working
            .values()
            .any(|(until, _)| *until > Instant::now())
    }

    async fn die(&self) -> ! {
        self.died.notify_one();
        std::future::pending().await
    }
}

impl World {
    fn put(&mut self, setting: &Setting, state: &State) {
        self.writes.push((setting.clone(), state.clone()));
        self.stale.remove(setting);
        if let Some((length, shows_old)) = self.slow {
            let old = self.values.get(setting).cloned().unwrap_or(State::Absent);
            let shown = if shows_old { old } else { state.clone() };
            self.working.insert(setting.clone(), (Instant::now() + length, shown));
        }
        if let Some((_, other, value)) = self.meddle.take_if(|(trigger, ..)| trigger == setting) {
            self.values.insert(other, value);
        }
        if *state == State::Absent {
            self.values.remove(setting);
        } else {
            self.values.insert(setting.clone(), state.clone());
        }
        let Setting::ScalableTarget { target } = setting else { return };
        match state {
            State::Absent => self
                .values
                .retain(|other, _| !matches!(other, Setting::ScalingPolicy { target: owner, .. } if owner == target)),
            State::Scalable { min, max, .. } => self.clamp(target, *min, *max),
            _ => {}
        }
    }

    /// Whether a reservation would break the unreserved floor.
    fn is_too_much(&self, setting: &Setting, want: &State) -> bool {
        let reserved = |state: &State| if let State::Reserved { limit } = state { *limit } else { 0 };
        let others: u32 = self
            .values
            .iter()
            .filter(|(other, _)| *other != setting)
            .map(|(_, state)| reserved(state))
            .sum();
        self.reservable
            .is_some_and(|most| reserved(want) > 0 && others + reserved(want) > most)
    }

    /// Autoscaling, or a clamp, moves a capacity into bounds.
    pub(crate) fn clamp(&mut self, target: &Scalable, min: u32, max: u32) {
        for (setting, state) in &mut self.values {
            match (setting, state, target) {
                (Setting::TableCapacity { table }, State::Capacity(capacity), Scalable::Table { table: scaled, dimension })
                    if table == scaled =>
                {
                    let units = capacity.table.of_mut(*dimension);
                    *units = (*units).clamp(min, max);
                }
                (Setting::EcsDesired { service, .. }, State::Count { desired }, Scalable::Service { service: scaled, .. })
                    if service == scaled =>
                {
                    *desired = (*desired).clamp(min, max);
                }
                _ => {}
            }
        }
    }

    /// What busy autoscaling does during a test: every capacity with an unsuspended target goes to its maximum.
    pub(crate) fn load(&mut self) {
        let targets: Vec<(Scalable, u32)> = self
            .values
            .iter()
            .filter_map(|(setting, state)| match (setting, state) {
                (
                    Setting::ScalableTarget { target },
                    State::Scalable {
                        max,
                        suspended: Suspended { scale_out: false, .. },
                        ..
                    },
                ) => Some((target.clone(), *max)),
                _ => None,
            })
            .collect();
        for (target, max) in targets {
            self.clamp(&target, max, max);
        }
    }
}

impl Cloud for Fake {
    async fn observe(&self, settings: &[Setting]) -> Vec<Result<Observed, CloudError>> {
        match self.step() {
            Some(Break::DieBefore | Break::DieAfter) => self.die().await,
            Some(Break::Refuse) => return settings.iter().map(|_| Err(rejected())).collect(),
            Some(Break::Throttle) => return settings.iter().map(|_| Err(throttled())).collect(),
            Some(Break::LoseBefore | Break::LoseAfter | Break::Late(_)) => return settings.iter().map(|_| Err(lost())).collect(),
            None => {}
        }
        let world = self.world.lock().unwrap();
        let now = Instant::now();
        let observe = |setting: &Setting| {
            let working = world.working.get(setting).filter(|(until, _)| *until > now);
            let shown = working.map(|(_, shown)| shown).or_else(|| world.stale.get(setting));
            let anew = if world.recreated.contains(setting) { " anew" } else { "" };
            Observed {
                state: shown.or_else(|| world.values.get(setting)).cloned().unwrap_or(State::Absent),
                identity: format!("{}{anew}", setting.resource()),
                busy: working.map(|_| "UPDATING".to_owned()),
                decreases_today: None,
            }
        };
        settings.iter().map(|setting| Ok(observe(setting))).collect()
    }

    async fn set(&self, setting: &Setting, want: &State) -> Result<(), CloudError> {
        let fuse = self.step();
        let put = || self.world.lock().unwrap().put(setting, want);
        match fuse {
            Some(Break::Refuse) => return Err(rejected()),
            Some(Break::Throttle) => return Err(throttled()),
            Some(Break::LoseBefore) => return Err(lost()),
            Some(Break::DieBefore) => self.die().await,
            Some(Break::LoseAfter) => {
                put();
                return Err(lost());
            }
            Some(Break::DieAfter) => {
                put();
                self.die().await;
            }
            Some(Break::Late(delay)) => {
                self.world
                    .lock()
                    .unwrap()
                    .pending
                    .push((Instant::now() + delay, setting.clone(), want.clone()));
                return Err(lost());
            }
            None if self.world.lock().unwrap().is_too_much(setting, want) => return Err(rejected()),
            None => put(),
        }
        sleep(Duration::from_millis(5)).await;
        Ok(())
    }
}

fn rejected() -> CloudError {
    CloudError::Rejected {
        code: "InvalidParameterValueException".into(),
        message: "no".into(),
    }
}

fn throttled() -> CloudError {
    CloudError::Throttled {
        code: "TooManyRequestsException".into(),
        message: "slow down".into(),
    }
}

fn lost() -> CloudError {
    CloudError::Unknown {
        message: "connection reset".into(),
    }
}

/// Records in memory that outlive the "process", with a fuse on the nth append.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    pub(crate) records: Arc<Mutex<Vec<Record>>>,
    /// The appends that still work; `None` is all.
    pub(crate) room: Arc<Mutex<Option<u64>>>,
}

impl Store for Disk {
    fn append(&mut self, record: &Record) -> Result<(), JournalError> {
        if let Some(room) = self.room.lock().unwrap().as_mut() {
            if *room == 0 {
                return Err(JournalError::Write {
                    path: "journal".into(),
                    source: std::io::Error::other("disk full"),
                });
            }
            *room -= 1;
        }
        self.records.lock().unwrap().push(record.clone());
        Ok(())
    }
}
