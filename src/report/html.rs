//! The page: one file that asks for nothing, reads without scripts and prints.

use askama::Template;

use super::axis::Tick;
use super::cause::{Cause, cause};
use super::model::{MarkKind, Report};
use super::tables::{self, Table};
use super::{charts, moment};

mod facts;
mod marks;
mod view;

use facts::Facts;
use marks::{MarkView, PhaseView};
use view::{Chip, GroupView};

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The template failed.
    #[error("fill in the page: {0}")]
    Template(#[from] askama::Error),
    /// The data of the charts could not be written.
    #[error("write the data of the charts: {0}")]
    Data(#[from] serde_json::Error),
}

/// Writes the page.
pub fn render(report: &Report) -> Result<String, RenderError> {
    let charts = charts::all(report);
    let (chips, more_chips) = view::chips(report);
    let ticks = charts.axis.ticks(8.0);
    let phases = marks::phases(report, charts.axis);
    let marks = marks::marks(report, charts.axis);
    let page = Page {
        report,
        facts: Facts::of(report),
        cause: cause(report),
        chips,
        more_chips,
        time_grid: charts::time_grid(&ticks),
        ticks,
        shade: marks::shade(&phases),
        mark_lines: marks::mark_lines(&marks),
        figures: facts::figures(report),
        about: facts::about(report),
        data: view::data(&charts, &marks)?,
        phases,
        marks,
        groups: view::groups(&charts),
        tables: Tables::of(report),
        css: include_str!("templates/report.css"),
        script: include_str!("templates/report.js"),
    };
    Ok(page.render()?)
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    facts: Facts,
    cause: Option<Cause>,
    chips: Vec<Chip>,
    more_chips: usize,
    ticks: Vec<Tick>,
    time_grid: String,
    phases: Vec<PhaseView>,
    shade: String,
    /// Class and path.
    mark_lines: Vec<(&'static str, String)>,
    /// Name and figure.
    figures: Vec<(&'static str, String)>,
    about: Vec<(&'static str, String)>,
    marks: Vec<MarkView>,
    groups: Vec<GroupView>,
    /// JSON without a `<`.
    data: String,
    tables: Tables,
    css: &'static str,
    script: &'static str,
}

struct Tables {
    criteria: Table,
    throttles: Table,
    explained: Table,
    errors: Table,
    phases: Table,
    steps: Table,
    outstanding: Table,
    series: Table,
}

impl Tables {
    fn of(report: &Report) -> Self {
        Self {
            criteria: tables::criteria(report),
            throttles: tables::throttles(report),
            explained: tables::explained(report),
            errors: tables::errors(report),
            phases: tables::phases(report),
            steps: tables::steps(report),
            outstanding: tables::outstanding(report),
            series: tables::series(report),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;

    #[test]
    fn every_report_becomes_a_page_that_asks_for_nothing() {
        for (name, report) in fixtures::all() {
            let page = render(&report).unwrap();
            for wish in [
                "src=\"http",
                "href=\"http",
                "url(http",
                "@import",
                "fetch(",
                "XMLHttp",
                "innerHTML",
                "eval(",
            ] {
                assert!(!page.contains(wish), "{name} has {wish}");
            }
            assert!(page.starts_with("<!doctype html>"), "{name}");
            keep(name, &page);
        }
    }

    /// For looking at them: `TIDEGATE_PAGES=DIR`.
    fn keep(name: &str, page: &str) {
        if let Ok(directory) = std::env::var("TIDEGATE_PAGES") {
            std::fs::write(std::path::Path::new(&directory).join(format!("{name}.html")), page).unwrap();
        }
    }

    fn looked_at_in_a_browser(page: &str, size: &str) -> serde_json::Value {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("report.html");
        std::fs::write(&file, page).unwrap();
        let output = std::process::Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/browser-check"))
            .arg(&file)
            .args(["--size", size])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    #[test]
    #[ignore = "needs Python and Chromium"]
    fn the_page_shows_every_chart_logs_nothing_and_asks_for_nothing() {
        for (name, report) in fixtures::all() {
            let page = render(&report).unwrap();
            let drawable = charts::all(&report)
                .groups
                .iter()
                .flat_map(|group| &group.charts)
                .filter(|chart| !chart.is_flat())
                .count();
            for size in ["1280x800", "375x800"] {
                let seen = looked_at_in_a_browser(&page, size);
                assert_eq!(seen["charts"], drawable, "{name}: {seen}");
                assert_eq!(seen["charts_with_script"], drawable, "{name}: {seen}");
                assert_eq!(seen["drawn_series"], seen["lines"], "{name}: {seen}");
                assert_eq!(
                    (&seen["page_errors"], &seen["overflow"]),
                    (&0.into(), &0.into()),
                    "{name} at {size}: {seen}"
                );
                assert_eq!(seen["console_errors"], serde_json::json!([]), "{name}: {seen}");
                assert_eq!(seen["requests"], serde_json::json!([]), "{name}: {seen}");
                assert!(seen["milliseconds"].as_u64().unwrap() < 2_000, "{name}: {seen}");
            }
        }
    }

    #[test]
    fn names_cannot_leave_their_place() {
        let page = render(&fixtures::hostile()).unwrap();
        assert_eq!(page.matches("</script>").count(), 2, "the data and the script, nothing else");
        assert!(!page.contains("<img"));
        assert!(!page.contains("<script>document"));
        assert!(!page.contains("href=\"javascript"));
    }

    #[test]
    fn the_first_screen_says_what_matters() {
        let page = render(&fixtures::throttled()).unwrap();
        for words in [
            "lambda supervisor-agent, reserved limit 100, from 14:05",
            "6 settings still changed",
            "tidegate cleanup hcg-demo",
            "PROVISIONAL",
            "final about 14:16 UTC",
            "6 of 6 settings in force",
            "519 client failures = 498 Lambda throttles + 12 timeouts + 9 unexplained",
        ] {
            assert!(page.contains(words), "{words}");
        }
        assert!(!page.contains("REHEARSAL"));
        assert!(render(&fixtures::spike()).unwrap().contains("REHEARSAL"));
        assert!(render(&fixtures::invalid()).unwrap().contains("found no free slot"));
    }

    #[test]
    fn a_day_with_sixty_series_stays_below_eight_megabytes() {
        let page = render(&fixtures::endurance()).unwrap();
        assert!(page.len() < 8_000_000, "{}", page.len());
        let page = render(&fixtures::throttled()).unwrap();
        assert!(page.len() < 1_000_000, "{}", page.len());
    }
}
