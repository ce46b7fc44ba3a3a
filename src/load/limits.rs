//! Open files: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::error::LoadError;
use super::script::Script;
use super::shape::Load;

/// Files that are open beside the connections: standard streams, runtimes, AWS clients, the record.
const OTHERS: u64 = 256;

/// What the system allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Allowed {
    soft: u64,
    hard: u64,
}

/// Raises the soft limit to what the script needs, and gives how many slots the open phases may have: what was asked
/// for, or what the files allow.
pub(super) fn provide(script: &Script, slots: u32) -> Result<u32, LoadError> {
    let limit = getrlimit(Resource::Nofile);
    let allowed = Allowed {
        soft: limit.current.unwrap_or(u64::MAX),
        hard: limit.maximum.unwrap_or(u64::MAX),
    };
    let (wanted, slots) = plan(script, slots, allowed)?;
    if wanted > allowed.soft {
        let raised = Rlimit {
            current: Some(wanted),
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, raised).map_err(|_| LoadError::Files {
            needed: wanted,
            allowed: allowed.soft,
            hard: allowed.hard,
        })?;
    }
    Ok(slots)
}

/// How many files are needed, and how many slots there can be.
fn plan(script: &Script, slots: u32, allowed: Allowed) -> Result<(u64, u32), LoadError> {
    let users = script.stretches.iter().map(|stretch| match stretch.load {
        Load::Closed(crowd) => crowd.most(),
        Load::Open(_) => 0,
    });
    let users = u64::from(users.max().unwrap_or(0));
    let is_open = script.stretches.iter().any(|stretch| matches!(stretch.load, Load::Open(_)));
    let least = users.max(u64::from(is_open)) + OTHERS;
    if least > allowed.hard {
        return Err(LoadError::Files {
            needed: least,
            allowed: allowed.soft,
            hard: allowed.hard,
        });
    }
    if !is_open {
        return Ok((least, slots));
    }
    let slots = slots.min(u32::try_from(allowed.hard - OTHERS).unwrap_or(u32::MAX));
    Ok((users.max(u64::from(slots)) + OTHERS, slots))
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;
    use crate::scenario::Shape;
    use crate::units::Rate;

    fn script(shape: Shape) -> Script {
        Script::new(testing::scenario("http://127.0.0.1:1", shape, 1), "run").unwrap()
    }

    fn users(count: u32) -> Script {
        script(Shape::Users {
            from: count,
            to: count,
            spawn_rate: None,
        })
    }

    #[test]
    fn a_load_that_needs_more_files_than_there_can_be_is_refused_with_numbers() {
        let error = plan(&users(5_000), 10_000, Allowed { soft: 1_024, hard: 4_096 }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "open 5256 connections: the system allows this process 1024 open files (hard limit 4096); raise it with `ulimit -n 5256`"
        );
        assert_eq!(plan(&users(500), 10_000, Allowed { soft: 1_024, hard: 4_096 }).unwrap().0, 756);
    }

    #[test]
    fn open_phases_have_as_many_slots_as_the_files_allow() {
        let open = script(Shape::Arrivals {
            from: Rate(1.0),
            to: Rate(1.0),
        });
        assert_eq!(plan(&open, 10_000, Allowed { soft: 1_024, hard: 4_096 }).unwrap(), (4_096, 3_840));
        assert_eq!(plan(&open, 3_000, Allowed { soft: 1_024, hard: 4_096 }).unwrap(), (3_256, 3_000));
    }
}
