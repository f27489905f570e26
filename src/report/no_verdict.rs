//! There is no verdict (exit code 2), and why: what reports tell instead of an analysis.

use crate::diagnostic::Diagnostic;
use crate::place::{Forget, shown};
use crate::report::alarm::plain;

/// The longest problem that is told in one line.
const LONGEST: usize = 300;

/// Why there is no verdict.
#[derive(Clone, Debug)]
pub struct NoVerdict {
    /// Every problem, without a word on where on the machine files lie.
    pub problems: Vec<Diagnostic>,
}

impl NoVerdict {
    /// Of these problems; `paths` are those that were named to the program.
    pub fn new<'a>(problems: &[Diagnostic], paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut problems = without_folders(problems, paths);
        for origin in problems.iter_mut().filter_map(|p| p.origin.as_mut()) {
            origin.file = shown(&origin.file);
        }
        Self { problems }
    }

    /// All of it in a line: ``NO VERDICT: loadgate.toml:7:12: unknown metric `p95th` (and 2 more problems)``.
    pub fn sentence(&self) -> String {
        let first = self.problems.first().map_or_else(String::new, |problem| {
            let place = problem.origin.iter().map(|origin| format!("{origin}: "));
            plain(
                &format!("{}{}", place.collect::<String>(), problem.message),
                LONGEST,
            )
        });
        let more = match self.problems.len().saturating_sub(1) {
            0 => String::new(),
            1 => " (and 1 more problem)".to_owned(),
            more => format!(" (and {more} more problems)"),
        };
        format!("NO VERDICT: {first}{more}")
    }
}

/// Problems whose words say nothing of where files lie. Their places are as they were: who shows them at a file of the
/// repository has to know which.
pub fn without_folders<'a>(
    problems: &[Diagnostic],
    paths: impl IntoIterator<Item = &'a str>,
) -> Vec<Diagnostic> {
    let forget = Forget::new(paths);
    let told = |problem: &Diagnostic| Diagnostic {
        message: forget.within(&problem.message),
        help: problem.help.as_deref().map(|help| forget.within(help)),
        ..problem.clone()
    };
    problems.iter().map(told).collect()
}
