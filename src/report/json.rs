//! `run.json` itself.

use super::model::Report;

/// The model, indented, with a line feed at its end.
pub fn render(report: &Report) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(report).map(|json| json + "\n")
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;

    #[test]
    fn every_report_reads_back_with_what_was_judged() {
        for (name, report) in fixtures::all() {
            let read: Report = serde_json::from_str(&render(&report).unwrap()).unwrap();
            assert_eq!((read.run, read.end), (report.run, report.end), "{name}");
            assert_eq!(
                (read.verdict, read.throttles, read.marks),
                (report.verdict, report.throttles, report.marks),
                "{name}"
            );
            assert_eq!(read.reconciliation, report.reconciliation, "{name}");
        }
    }
}
