//! The promise, tested: whatever fails at whichever operation, the next cleanup leaves the account as it was.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::fake::{Break, Disk, Fake};
use super::{Clock, Event, Failure, Left, OnDrift, Prepared, Restored, Verb};
use crate::journal::{Journal, Outcome, Owner, Record, Started, VERSION};
use crate::setting::{Capacity, Change, Dimension, Plan, Scalable, Setting, State, Suspended, Tracking, Undo, Units};
use crate::units::Timestamp;

const IN_DOUBT: Duration = Duration::from_secs(30);

fn write(table: &str) -> Scalable {
    Scalable::Table {
        table: table.into(),
        dimension: Dimension::Write,
    }
}

fn service() -> Scalable {
    Scalable::Service {
        cluster: "c".into(),
        service: "s".into(),
    }
}

fn tracking(target: f64) -> State {
    State::Tracking(Tracking {
        metric: "m".into(),
        resource_label: None,
        target,
        scale_in_cooldown: Some(30),
        scale_out_cooldown: None,
        disable_scale_in: None,
    })
}

fn units(write: u32) -> State {
    State::Capacity(Capacity {
        table: Units { read: 5, write },
        indexes: BTreeMap::new(),
    })
}

fn scalable(min: u32, max: u32, scheduled: bool) -> State {
    State::Scalable {
        min,
        max,
        suspended: Suspended {
            scheduled,
            ..Suspended::default()
        },
    }
}

/// A function without and one with a reservation, a table without scaling, a table and a service with it.
fn plan() -> Plan {
    let reserved = |function: &str| Setting::LambdaReserved { function: function.into() };
    let table = |table: &str| Setting::TableCapacity { table: table.into() };
    let target = |target| Setting::ScalableTarget { target };
    let policy = |target| Setting::ScalingPolicy { target, name: "p".into() };
    let desired = Setting::EcsDesired {
        cluster: "c".into(),
        service: "s".into(),
    };
    let count = |desired| State::Count { desired };
    let changes = [
        (reserved("unset"), State::Absent, State::Reserved { limit: 100 }),
        (reserved("zero"), State::Reserved { limit: 0 }, State::Reserved { limit: 100 }),
        (table("plain"), units(5), units(60)),
        (target(write("plain")), State::Absent, scalable(5, 100, false)),
        (policy(write("plain")), State::Absent, tracking(70.0)),
        (table("scaled"), units(3), units(3)),
        (target(write("scaled")), scalable(2, 10, false), scalable(5, 100, true)),
        (policy(write("scaled")), tracking(50.0), tracking(70.0)),
        (desired, count(2), count(4)),
        (target(service()), scalable(2, 6, false), scalable(4, 20, true)),
    ];
    let changes = changes
        .into_iter()
        .map(|(setting, before, after)| Change {
            setting,
            before,
            after,
            undo: Undo::Exact,
        })
        .collect();
    Plan {
        changes,
        ..Plan::default()
    }
}

fn initial() -> BTreeMap<Setting, State> {
    plan()
        .changes
        .into_iter()
        .filter(|change| change.before != State::Absent)
        .map(|change| (change.setting, change.before))
        .collect()
}

/// One process: it opens the journal that the disk holds, and may die.
struct Process<'a> {
    cloud: &'a Fake,
    journal: Mutex<Journal>,
    clock: Clock,
    stop: CancellationToken,
    told: std::sync::Arc<Mutex<Vec<Event>>>,
}

impl<'a> Process<'a> {
    fn start(cloud: &'a Fake, disk: &Disk, start: Instant) -> Self {
        let clock = Clock::Since(Timestamp::UNIX_EPOCH, start);
        let started = Started {
            version: VERSION,
            run: "r".into(),
            profile: "p".into(),
            account: "1".into(),
            region: "r".into(),
            endpoint: None,
            tool: "t".into(),
            in_doubt_seconds: IN_DOUBT.as_secs_f64(),
            owner: Owner {
                user: "u".into(),
                host: "h".into(),
                pid: 1,
            },
            at: clock.now(),
        };
        let records = disk.records.lock().unwrap().clone();
        let journal = if records.is_empty() {
            Journal::begin(started, Box::new(disk.clone())).unwrap()
        } else {
            Journal::resume(started, records, Box::new(disk.clone()))
        };
        Self {
            cloud,
            journal: Mutex::new(journal),
            clock,
            stop: CancellationToken::new(),
            told: std::sync::Arc::default(),
        }
    }

    /// `None` when the machine died.
    async fn prepare(&self) -> Option<Result<Prepared, Failure>> {
        self.prepare_as(&plan()).await
    }

    async fn prepare_as(&self, plan: &Plan) -> Option<Result<Prepared, Failure>> {
        let told = self.told.clone();
        let events = move |event| told.lock().unwrap().push(event);
        let verb = Verb {
            cloud: self.cloud,
            journal: &self.journal,
            clock: &self.clock,
            events: &events,
            stop: &self.stop,
        };
        tokio::select! {
            result = verb.prepare(plan) => Some(result),
            () = self.cloud.died.notified() => None,
        }
    }

    async fn cleanup(&self, drift: &OnDrift) -> Option<Vec<Restored>> {
        let told = self.told.clone();
        let events = move |event| told.lock().unwrap().push(event);
        let verb = Verb {
            cloud: self.cloud,
            journal: &self.journal,
            clock: &self.clock,
            events: &events,
            stop: &self.stop,
        };
        tokio::select! {
            restored = verb.cleanup(drift) => Some(restored),
            () = self.cloud.died.notified() => None,
        }
    }
}

fn closed(restored: &[Restored]) -> bool {
    restored.iter().all(|setting| setting.end.is_ok())
}

const BREAKS: [Break; 7] = [
    Break::Refuse,
    Break::Throttle,
    Break::LoseBefore,
    Break::LoseAfter,
    Break::Late(Duration::from_secs(20)),
    Break::DieBefore,
    Break::DieAfter,
];

#[tokio::test(start_paused = true)]
async fn prepare_makes_every_change_once_and_cleanup_takes_every_one_back() {
    let (cloud, disk, start) = (Fake::new(initial()), Disk::default(), Instant::now());
    let process = Process::start(&cloud, &disk, start);
    process.prepare().await.unwrap().unwrap();
    let wanted: BTreeMap<_, _> = plan().changes.into_iter().map(|change| (change.setting, change.after)).collect();
    let mut now = cloud.values();
    // Registering 5–100 lifts the held capacity of 3 to 5: autoscaling's doing, not a change of the plan.
    assert_eq!(
        now.insert(Setting::TableCapacity { table: "scaled".into() }, units(3)),
        Some(units(5))
    );
    assert_eq!(now, wanted);
    // The service is at 4 by the clamp of its new range: nine changes, one hold, one clamp.
    assert_eq!(cloud.world.lock().unwrap().writes.len(), 8);
    cloud.world.lock().unwrap().load();
    let restored = Process::start(&cloud, &disk, start).cleanup(&OnDrift::default()).await.unwrap();
    assert!(closed(&restored), "{restored:#?}");
    assert_eq!(cloud.values(), initial());
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_at_whichever_operation_of_prepare_the_account_is_as_it_was() {
    for kind in BREAKS {
        for nth in 1.. {
            let (cloud, disk, start) = (Fake::new(initial()), Disk::default(), Instant::now());
            cloud.set_fuse(Some((nth, kind)));
            let process = Process::start(&cloud, &disk, start);
            let result = process.prepare().await;
            let untouched = !cloud.blown();
            cloud.set_fuse(None);
            if let Some(Err(Failure::Undone { restored, .. })) = &result {
                assert!(closed(restored), "{kind:?} at {nth}: {restored:#?}");
            }
            if !matches!(result, Some(Ok(_))) && result.is_some() {
                assert_eq!(cloud.values(), initial(), "{kind:?} at {nth}: prepare said that it failed");
            }
            cloud.world.lock().unwrap().load();
            let restored = Process::start(&cloud, &disk, start).cleanup(&OnDrift::default()).await.unwrap();
            assert!(closed(&restored), "{kind:?} at {nth}: {restored:#?}");
            tokio::time::sleep(Duration::from_mins(1)).await;
            let _ = Process::start(&cloud, &disk, start).cleanup(&OnDrift::default()).await;
            let mut now = cloud.values();
            if result.as_ref().is_some_and(Result::is_err) || restored.is_empty() {
                // Nothing was outstanding any more, so autoscaling used its own bounds.
                settle_autoscaled(&mut now);
            }
            assert_eq!(now, initial(), "{kind:?} at {nth}");
            if untouched {
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_within_cleanup_the_next_one_finishes() {
    for kind in BREAKS {
        for nth in 1.. {
            let (cloud, disk, start) = (Fake::new(initial()), Disk::default(), Instant::now());
            Process::start(&cloud, &disk, start).prepare().await.unwrap().unwrap();
            cloud.world.lock().unwrap().load();
            cloud.set_fuse(Some((nth, kind)));
            let first = Process::start(&cloud, &disk, start).cleanup(&OnDrift::default()).await;
            let untouched = !cloud.blown();
            cloud.set_fuse(None);
            let restored = Process::start(&cloud, &disk, start).cleanup(&OnDrift::default()).await.unwrap();
            assert!(closed(&restored), "{kind:?} at {nth}: {first:?} THEN {restored:?}");
            // A call that was lost in the first cleanup has landed by now, if it ever does.
            tokio::time::sleep(Duration::from_mins(1)).await;
            cloud.world.lock().unwrap().load();
            let _ = Process::start(&cloud, &disk, start).cleanup(&OnDrift::default()).await;
            let mut now = cloud.values();
            settle_autoscaled(&mut now);
            assert_eq!(now, initial(), "{kind:?} at {nth}");
            if untouched {
                break;
            }
        }
    }
}

/// Autoscaling is back in force and may use its original bounds.
fn settle_autoscaled(values: &mut BTreeMap<Setting, State>) {
    for (setting, state) in initial() {
        let scaled =
            matches!(&setting, Setting::EcsDesired { .. }) || matches!(&setting, Setting::TableCapacity { table } if table == "scaled");
        if scaled {
            values.insert(setting, state);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn dying_in_prepare_and_again_in_cleanup_loses_nothing() {
    for first in 1..40 {
        for second in 1..40 {
            let (cloud, disk, start) = (Fake::new(initial()), Disk::default(), Instant::now());
            cloud.set_fuse(Some((first, Break::DieAfter)));
            let _ = Process::start(&cloud, &disk, start).prepare().await;
            cloud.set_fuse(Some((second, Break::DieAfter)));
            let _ = Process::start(&cloud, &disk, start).cleanup(&OnDrift::default()).await;
            cloud.set_fuse(None);
            let restored = Process::start(&cloud, &disk, start).cleanup(&OnDrift::default()).await.unwrap();
            assert!(closed(&restored), "{first}, {second}: {restored:#?}");
            assert_eq!(cloud.values(), initial(), "{first}, {second}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_journal_cannot_be_written_prepare_puts_back_and_cleanup_goes_on() {
    for room in 1..60 {
        let (cloud, disk, start) = (Fake::new(initial()), Disk::default(), Instant::now());
        *disk.room.lock().unwrap() = Some(room);
        let process = Process::start(&cloud, &disk, start);
        let result = process.prepare().await.unwrap();
        if result.is_ok() {
            let cleaner = Process::start(&cloud, &disk, start);
            assert!(closed(&cleaner.cleanup(&OnDrift::default()).await.unwrap()));
        }
        assert_eq!(cloud.values(), initial(), "room for {room} records: {result:?}");
        if result.is_err() {
            assert!(
                process.told.lock().unwrap().contains(&Event::PuttingBack),
                "room for {room} records"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_edit_is_reported_with_three_values_and_left_alone() {
    let (cloud, disk, start) = (Fake::new(initial()), Disk::default(), Instant::now());
    Process::start(&cloud, &disk, start).prepare().await.unwrap().unwrap();
    let edited = Setting::LambdaReserved { function: "unset".into() };
    cloud
        .world
        .lock()
        .unwrap()
        .values
        .insert(edited.clone(), State::Reserved { limit: 200 });
    let restored = Process::start(&cloud, &disk, start).cleanup(&OnDrift::default()).await.unwrap();
    let left = restored.iter().find(|setting| setting.setting == edited).unwrap();
    let Err(Left::Drift(drift)) = &left.end else { panic!("{left:?}") };
    assert_eq!(
        (&drift.was, &drift.ours, &drift.now),
        (&State::Absent, &State::Reserved { limit: 100 }, &State::Reserved { limit: 200 })
    );
    assert_eq!(cloud.values().get(&edited), Some(&State::Reserved { limit: 200 }));
    let force = OnDrift {
        force: vec!["unset".into()],
        ..OnDrift::default()
    };
    let restored = Process::start(&cloud, &disk, start).cleanup(&force).await.unwrap();
    assert_eq!(restored.len(), 1);
    assert_eq!(cloud.values(), initial());
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_is_accepted_stays_and_is_closed() {
    let (cloud, disk, start) = (Fake::new(initial()), Disk::default(), Instant::now());
    Process::start(&cloud, &disk, start).prepare().await.unwrap().unwrap();
    let edited = Setting::LambdaReserved { function: "unset".into() };
    cloud
        .world
        .lock()
        .unwrap()
        .values
        .insert(edited.clone(), State::Reserved { limit: 200 });
    let accept = OnDrift {
        accept: vec!["lambda/unset".into()],
        ..OnDrift::default()
    };
    let restored = Process::start(&cloud, &disk, start).cleanup(&accept).await.unwrap();
    assert!(closed(&restored));
    assert!(restored.iter().any(|setting| setting.end
        == Ok(Outcome::Accepted {
            seen: State::Reserved { limit: 200 }
        })));
    assert_eq!(cloud.values().get(&edited), Some(&State::Reserved { limit: 200 }));
}

#[tokio::test(start_paused = true)]
async fn every_call_has_its_intent_on_disk_before_it() {
    let (cloud, disk, start) = (Fake::new(initial()), Disk::default(), Instant::now());
    Process::start(&cloud, &disk, start).prepare().await.unwrap().unwrap();
    let intended: Vec<(Setting, State)> = disk
        .records
        .lock()
        .unwrap()
        .iter()
        .filter_map(|record| match record {
            Record::Intent { setting, before, to, .. } if before != to => Some((setting.clone(), to.clone())),
            _ => None,
        })
        .collect();
    for call in &cloud.world.lock().unwrap().writes {
        assert!(intended.contains(call), "{call:?}");
    }
}

fn reserved(function: &str) -> Setting {
    Setting::LambdaReserved { function: function.into() }
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_was_created_anew_is_never_touched_not_even_by_force() {
    let (cloud, disk, start) = (Fake::new(initial()), Disk::default(), Instant::now());
    Process::start(&cloud, &disk, start).prepare().await.unwrap().unwrap();
    let anew = Setting::TableCapacity { table: "plain".into() };
    cloud.world.lock().unwrap().recreated.insert(anew.clone());
    let force = OnDrift {
        force: vec!["*".into()],
        ..OnDrift::default()
    };
    for drift in [OnDrift::default(), force] {
        let restored = Process::start(&cloud, &disk, start).cleanup(&drift).await.unwrap();
        let left = restored.iter().find(|setting| setting.setting == anew).unwrap();
        assert!(matches!(left.end, Err(Left::Recreated { .. })), "{left:?}");
        assert_eq!(cloud.values().get(&anew), Some(&units(60)));
    }
}

#[tokio::test(start_paused = true)]
async fn when_aws_is_not_as_the_plan_says_nothing_is_changed() {
    let (cloud, disk, start) = (Fake::new(initial()), Disk::default(), Instant::now());
    cloud
        .world
        .lock()
        .unwrap()
        .values
        .insert(reserved("zero"), State::Reserved { limit: 7 });
    let result = Process::start(&cloud, &disk, start).prepare().await.unwrap();
    assert!(matches!(&result, Err(Failure::Moved { moved }) if moved.len() == 1), "{result:?}");
    assert!(cloud.world.lock().unwrap().writes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_does_not_stay_back_is_not_closed() {
    let (cloud, disk, start) = (Fake::new(initial()), Disk::default(), Instant::now());
    Process::start(&cloud, &disk, start).prepare().await.unwrap().unwrap();
    // `unset` is back when `zero` is written; then somebody sets it again.
    let seen = State::Reserved { limit: 200 };
    cloud.world.lock().unwrap().meddle = Some((reserved("zero"), reserved("unset"), seen.clone()));
    let restored = Process::start(&cloud, &disk, start).cleanup(&OnDrift::default()).await.unwrap();
    let left = restored.iter().find(|setting| setting.setting == reserved("unset")).unwrap();
    assert_eq!(left.end, Err(Left::NotProved { seen }));
    let again = Process::start(&cloud, &disk, start).cleanup(&OnDrift::default()).await.unwrap();
    assert_eq!(again.len(), 1, "still outstanding");
}

#[tokio::test(start_paused = true)]
async fn ready_is_said_only_when_aws_is_busy_with_nothing() {
    let (cloud, disk, start) = (Fake::new(initial()), Disk::default(), Instant::now());
    cloud.world.lock().unwrap().slow = Some((Duration::from_mins(1), false));
    Process::start(&cloud, &disk, start).prepare().await.unwrap().unwrap();
    assert!(!cloud.is_busy());
}

#[tokio::test(start_paused = true)]
async fn a_change_under_way_that_still_shows_the_old_value_is_not_taken_for_put_back() {
    let (cloud, disk, start) = (Fake::new(initial()), Disk::default(), Instant::now());
    cloud.world.lock().unwrap().slow = Some((Duration::from_mins(1), true));
    let process = Process::start(&cloud, &disk, start);
    let stop = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        process.stop.cancel();
    };
    let (result, ()) = tokio::join!(process.prepare(), stop);
    assert!(matches!(result, Some(Err(Failure::Undone { cause: None, .. }))), "{result:?}");
    assert_eq!(cloud.values(), initial());
}

#[tokio::test(start_paused = true)]
async fn reservations_go_back_without_breaking_the_floor_in_passing() {
    let of = |limit| State::Reserved { limit };
    let change = |function: &str, before, after| Change {
        setting: reserved(function),
        before: of(before),
        after: of(after),
        undo: Undo::Exact,
    };
    let plan = Plan {
        changes: vec![change("shrinks", 300, 100), change("grows", 100, 300)],
        ..Plan::default()
    };
    let before = BTreeMap::from([(reserved("shrinks"), of(300)), (reserved("grows"), of(100))]);
    let (cloud, disk, start) = (Fake::new(before.clone()), Disk::default(), Instant::now());
    cloud.world.lock().unwrap().reservable = Some(400);
    Process::start(&cloud, &disk, start).prepare_as(&plan).await.unwrap().unwrap();
    let restored = Process::start(&cloud, &disk, start).cleanup(&OnDrift::default()).await.unwrap();
    assert!(closed(&restored), "{restored:#?}");
    assert_eq!(cloud.values(), before);
}

#[tokio::test(start_paused = true)]
async fn autoscaling_that_scales_out_all_the_time_does_not_keep_a_capacity_from_going_back() {
    let (cloud, disk, start) = (Fake::new(initial()), Disk::default(), Instant::now());
    Process::start(&cloud, &disk, start).prepare().await.unwrap().unwrap();
    cloud.world.lock().unwrap().pressing = true;
    let restored = Process::start(&cloud, &disk, start).cleanup(&OnDrift::default()).await.unwrap();
    assert!(closed(&restored), "{restored:#?}");
    let mut now = cloud.values();
    settle_autoscaled(&mut now);
    assert_eq!(now, initial());
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_answer_a_look_that_shows_the_original_is_not_believed() {
    for nth in 2..40 {
        let (cloud, disk, start) = (Fake::new(initial()), Disk::default(), Instant::now());
        cloud.set_fuse(Some((nth, Break::DieAfter)));
        let died = Process::start(&cloud, &disk, start).prepare().await.is_none();
        cloud.set_fuse(None);
        if !died || !cloud.values().contains_key(&reserved("unset")) {
            continue;
        }
        // The first operation after which it is set is its own write: done, and the machine died.
        cloud.world.lock().unwrap().stale.insert(reserved("unset"), State::Absent);
        let restored = Process::start(&cloud, &disk, start).cleanup(&OnDrift::default()).await.unwrap();
        assert!(closed(&restored), "{restored:#?}");
        assert_eq!(cloud.values(), initial());
        return;
    }
    panic!("the write was never reached");
}
