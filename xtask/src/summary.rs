//! Reading the counts out of what the test programs print at their end.

use std::fmt;
use std::ops::AddAssign;

/// How many tests came out which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Tests that ran and were satisfied.
    pub(crate) passed: u64,
    /// Tests that were not, whatever the way: failed, cancelled, timed out.
    pub(crate) failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The counts of `cargo nextest run`:
/// `Summary [   0.012s] 5 tests run: 3 passed (1 slow), 1 failed, 1 timed out, 2 skipped`.
///
/// The last such line counts; none is no test.
pub(crate) fn of_nextest(text: &str) -> Counts {
    let summary = text.lines().rev().find_map(|line| {
        let line = line.trim_start().strip_prefix("Summary [")?;
        line.split_once(" run: ").map(|(_, counts)| counts)
    });
    let mut counts = Counts::default();
    for (count, what) in number_words(summary.unwrap_or_default()) {
        match what {
            "passed" => counts.passed += count,
            "failed" | "exec" | "timed" => counts.failed += count,
            _ => {}
        }
    }
    counts
}

/// The counts of `cargo test`, one line for each test program:
/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; …`.
pub(crate) fn of_libtest(text: &str) -> Counts {
    let mut counts = Counts::default();
    for line in text.lines().filter_map(|line| line.trim_start().strip_prefix("test result:")) {
        for (count, what) in number_words(line) {
            match what {
                "passed" => counts.passed += count,
                "failed" => counts.failed += count,
                _ => {}
            }
        }
    }
    counts
}

/// The counts of `node --test` with its `spec` reporter: lines `ℹ pass 3`, `ℹ fail 0`,
/// `ℹ cancelled 0` at the start of a line.
///
/// A file in which no test ran counts itself as passed, `✔ intents.test.mjs (9ms)`; that is taken
/// off again, or a filter that nothing matches would look like success.
pub(crate) fn of_node(text: &str) -> Counts {
    let mut counts = Counts::default();
    let is_empty_file = |line: &&str| line.starts_with("✔ ") && line.contains(".test.mjs (");
    let empty_files = text.lines().filter(is_empty_file).count();
    for line in text.lines().filter_map(|line| line.strip_prefix("ℹ ")) {
        let Some((what, count)) = line.split_once(' ') else { continue };
        let Ok(count) = count.trim().parse::<u64>() else { continue };
        match what {
            "pass" => counts.passed += count,
            "fail" | "cancelled" => counts.failed += count,
            _ => {}
        }
    }
    counts.passed = counts.passed.saturating_sub(u64::try_from(empty_files).unwrap_or(u64::MAX));
    counts
}

/// Every number of the text with the word that follows it.
fn number_words(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let word = |c: char| !c.is_alphanumeric();
    let words: Vec<&str> = text.split(word).filter(|word| !word.is_empty()).collect();
    let pairs: Vec<_> = words
        .windows(2)
        .filter_map(|pair| pair[0].parse::<u64>().ok().map(|count| (count, pair[1])))
        .collect();
    pairs.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64) -> Counts {
        Counts { passed, failed }
    }

    #[test]
    fn nextest_summaries() {
        for (text, expected) in [
            ("", counts(0, 0)),
            ("     Summary [   0.01s] 4 tests run: 4 passed, 0 skipped\n", counts(4, 0)),
            ("     Summary [   0.01s] 1 test run: 0 passed, 1 failed, 9 skipped\n", counts(0, 1)),
            (
                "     Summary [ 61.0s] 7 tests run: 4 passed (2 slow, 1 leaky), 1 failed, \
                 1 exec failed, 1 timed out, 3 skipped\n  FAIL [ 0.1s] x\n",
                counts(4, 3),
            ),
            (
                "     Summary [   0.01s] 3/9 tests run: 2 passed, 1 failed, 0 skipped\n",
                counts(2, 1),
            ),
            ("7 passed, 1 failed\n", counts(0, 0)),
        ] {
            assert_eq!(of_nextest(text), expected, "{text}");
        }
    }

    #[test]
    fn libtest_summaries_are_added_up() {
        let text = "\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; in 0.00s\n\
            test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(of_libtest(text), counts(4, 2));
        assert_eq!(of_libtest("running 3 tests\n3 passed\n"), counts(0, 0));
    }

    #[test]
    fn node_summaries() {
        let text = "✔ reads (1ms)\nℹ tests 6\nℹ suites 1\nℹ pass 3\nℹ fail 1\nℹ cancelled 2\n\
                    ℹ skipped 0\nℹ todo 0\nℹ duration_ms 4.2\n";
        assert_eq!(of_node(text), counts(3, 3));
        let empty = "✔ /a/b.test.mjs (1ms)\n✔ c.test.mjs (2.5ms)\n✔ reads (1ms)\nℹ pass 3\n";
        assert_eq!(of_node(empty), counts(1, 0), "a file is not a test");
        assert_eq!(of_node("  ℹ pass 3\n"), counts(0, 0), "what a test prints is indented");
    }
}
