//! How an entry's running totals grow, and what they cannot do.

use std::collections::BTreeMap;

use super::super::consistency::rows;
use super::super::figures::Figures;

/// Seconds over which the busiest time is looked for.
const BUSY_S: i64 = 10;
/// A step so many times as high as all others is none of a run.
const LEAP: u64 = 3;
/// Requests that may come between any two rows.
const FEW: u64 = 20;

/// The course of one entry's request count.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// Second of the first row.
    pub first_row: Option<i64>,
    /// Second of the last row.
    pub last_row: Option<i64>,
    /// Second of the first row with users, or with requests.
    pub first_busy: Option<i64>,
    /// Second of the first row with more requests than the row before.
    pub first_growth: Option<i64>,
    /// The same of the last.
    pub last_growth: Option<i64>,
    /// The longest time between two rows, in seconds.
    pub gap_s: Option<i64>,
    /// How often the count fell, as `--reset-stats` lets it.
    pub resets: u64,
    /// The most requests that came in ten seconds, by the rows.
    pub busiest: u64,
    /// Most users at once.
    pub users: u64,
    /// Second and count of every row.
    rows: Vec<(i64, u64)>,
    /// Growth of the last seconds.
    window: BTreeMap<i64, u64>,
}

impl Course {
    /// Whether no row was seen.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Takes the next row.
    pub fn see(&mut self, second: i64, users: Option<u64>, requests: u64) {
        self.first_row = self.first_row.or(Some(second));
        if let Some(last) = self.last_row {
            self.gap_s = self.gap_s.max(Some(second - last));
        }
        self.last_row = Some(second);
        self.users = self.users.max(users.unwrap_or(0));
        if users.is_some_and(|n| n > 0) || requests > 0 {
            self.first_busy = self.first_busy.or(Some(second));
        }
        let known = self.rows.last().map_or(0, |(_, n)| *n);
        self.resets += u64::from(requests < known);
        if requests > known {
            self.first_growth = self.first_growth.or(Some(second));
            self.last_growth = Some(second);
            *self.window.entry(second).or_default() += requests - known;
            self.window = self.window.split_off(&(second - BUSY_S + 1));
            self.busiest = self.busiest.max(self.window.values().sum());
        }
        self.rows.push((second, requests));
    }

    /// When the count leapt up to fall back, or fell to come back: one cell is wrong there, and the count was not reset.
    pub fn leaps(&self) -> Vec<i64> {
        let count = |at: usize| self.rows.get(at).map(|(_, n)| *n);
        let fell = |at: usize| at > 0 && count(at) < count(at - 1);
        // The steps beside a fall at `at`: up to it, and out of it.
        let suspicious = |at: usize| fell(at) || fell(at + 1) || (at > 0 && fell(at - 1));
        let step = |at: usize| {
            let before = at.checked_sub(1).and_then(count).unwrap_or(0);
            count(at).unwrap_or(0).saturating_sub(before)
        };
        let all = 0..self.rows.len();
        let usual = all.clone().filter(|at| !suspicious(*at)).map(step).max();
        let most = LEAP * usual.unwrap_or(0) + FEW;
        all.filter(|at| fell(*at))
            .filter(|at| {
                let (up, out) = (step(at - 1), step(at + 1));
                let comes_back = out > most && count(at + 1) >= count(at - 1);
                let falls_back = up > most
                    && at
                        .checked_sub(2)
                        .is_some_and(|earlier| count(*at) >= count(earlier));
                comes_back || falls_back
            })
            .map(|at| self.rows[at].0)
            .collect()
    }
}

/// What no history of Locust shows.
#[derive(Default)]
pub struct Disorder {
    /// Second and users of the row before.
    row: Option<(i64, Option<u64>)>,
    /// What is wrong, with the second of its first row, and how often.
    found: BTreeMap<&'static str, (i64, u64)>,
}

impl Disorder {
    fn find(&mut self, what: &'static str, second: i64) {
        self.found.entry(what).or_insert((second, 0)).1 += 1;
    }

    /// A row in the order of the file.
    pub fn see_row(&mut self, second: i64, users: Option<u64>, row: &Figures) {
        if rows::more_failures(row).is_some() {
            self.find("there are more failures than requests", second);
        }
        if rows::order(row).is_some() || rows::falling(row).is_some() {
            self.find("response times are not in order", second);
        }

        if let Some((before, known)) = self.row {
            if second < before {
                self.find("the time runs backwards", second);
            } else if second == before && users != known {
                self.find("rows of one second differ in their users", second);
            }
        }
        self.row = Some((second, users));
    }

    /// Two rows of one entry between which the count did not fall.
    pub fn see_step(&mut self, second: i64, before: &Figures, row: &Figures) {
        let requests = row.requests - before.requests;
        if row.failures < before.failures {
            self.find("the failure count falls", second);
        } else if row.failures - before.failures > requests {
            self.find("more failures came than requests", second);
        }
        let falls =
            |a: Option<f64>, b: Option<f64>| matches!((a, b), (Some(a), Some(b)) if b < a - 1.0);
        if falls(before.max, row.max) {
            self.find("the longest response time falls", second);
        }
        // 0 stands for none.
        let least = |row: &Figures| row.min.filter(|ms| *ms > 0.0);
        if falls(least(row), least(before)) {
            self.find("the shortest response time rises", second);
        }
    }

    /// The course of one entry, once it is known.
    pub fn see_course(&mut self, course: &Course) {
        for second in course.leaps() {
            self.find("the request count leaps and comes back", second);
        }
    }

    /// What was found, as a sentence.
    pub fn sentence(&self, file: &str) -> Option<String> {
        let found = self.found.iter().map(|(what, (second, rows))| {
            let more = if *rows > 1 {
                format!(" and in {} rows more", rows - 1)
            } else {
                String::new()
            };
            format!("{what} at {second}{more}")
        });
        let found: Vec<String> = found.collect();
        (!found.is_empty()).then(|| {
            format!(
                "the rows of {file} do not follow one another: {}",
                found.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaps(counts: &[u64]) -> (usize, Course) {
        let mut course = Course::default();
        for (second, n) in counts.iter().enumerate() {
            course.see(second as i64, Some(2), *n);
        }
        (course.leaps().len(), course)
    }

    #[test]
    fn a_reset_begins_anew_and_a_wrong_cell_comes_back() {
        let (count, course) = leaps(&[0, 10, 30, 55, 80, 12, 40, 66]);
        assert_eq!((count, course.resets), (0, 1));
        // The growth of the last ten rows: 80, and after the fall 28 and 26.
        assert_eq!(
            (course.busiest, course.last_growth),
            (80 + 28 + 26, Some(7))
        );
        // A cell that became 0, and one that became too large.
        assert_eq!(leaps(&[0, 10, 30, 55, 80, 0, 130, 160]).0, 1);
        assert_eq!(leaps(&[0, 10, 30, 55, 9000, 100, 130]).0, 1);
        // A reset right after the start is one.
        assert_eq!(leaps(&[0, 2, 0, 3, 9]).0, 0);
        assert_eq!(leaps(&[0, 20, 90, 205, 94, 206, 310]).0, 0);
        assert_eq!(leaps(&[]).0, 0);
    }

    #[test]
    fn what_only_grows_cannot_fall() {
        let row = |requests, failures, min, max| Figures {
            requests,
            failures,
            min: Some(min),
            max: Some(max),
            ..Figures::default()
        };
        let step = |before: &Figures, after: &Figures| {
            let mut disorder = Disorder::default();
            disorder.see_step(7, before, after);
            disorder.sentence("h").unwrap_or_default()
        };
        let known = row(10, 2, 5.0, 90.0);
        assert_eq!(step(&known, &row(14, 6, 4.0, 95.0)), "");
        assert!(
            step(&known, &row(14, 7, 4.0, 95.0)).contains("more failures came than requests at 7")
        );
        assert!(step(&known, &row(14, 1, 4.0, 95.0)).contains("failure count falls"));
        assert!(step(&known, &row(14, 2, 7.0, 95.0)).contains("shortest response time rises"));
        assert!(step(&known, &row(14, 2, 4.0, 60.0)).contains("longest response time falls"));
    }

    #[test]
    fn rows_stand_in_order_of_time() {
        let mut disorder = Disorder::default();
        for (second, users) in [(1, 5), (1, 5), (2, 6), (2, 7), (1, 7)] {
            disorder.see_row(second, Some(users), &Figures::default());
        }
        let said = disorder.sentence("h").unwrap();
        assert!(
            said.contains(
                "rows of one second differ in their users at 2, the time runs backwards at 1"
            ),
            "{said}"
        );
    }
}
