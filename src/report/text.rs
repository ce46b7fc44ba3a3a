//! stub
use super::Report;
pub fn summary(report: &Report, path: &str, next: &str, _width: usize) -> String {
    format!("{:#?}\nreport {path}\nnext {next}", report.verdict)
}
