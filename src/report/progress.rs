//! A line on standard error that says what the program is at.
//!
//! The caller decides whether there is one: it belongs on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the line is drawn, per second.
const REFRESH: u8 = 10;

/// A line that names the stage and counts what it has done.
///
/// It vanishes when it is dropped, so that it never stands between the lines of a report.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Returns a line on standard error, or one that is never drawn.
    pub fn new(shown: bool) -> Self {
        if shown {
            Self::with_target(ProgressDrawTarget::stderr_with_hz(REFRESH))
        } else {
            Self { bar: ProgressBar::hidden() }
        }
    }

    fn with_target(target: ProgressDrawTarget) -> Self {
        Self { bar: ProgressBar::with_draw_target(None, target) }
    }

    /// Begins a stage, e.g. `rendering`, of `total` steps where that is known.
    pub fn stage(&self, name: &'static str, total: Option<usize>) {
        // A template that is wrong leaves the line as it was: it is decoration.
        let template = match total {
            Some(_) => "{spinner} {msg} {pos}/{len}",
            None => "{spinner} {msg} {pos}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.reset();
        match total {
            Some(total) => self.bar.set_length(total as u64),
            None => self.bar.unset_length(),
        }
        self.bar.set_message(name);
        self.bar.enable_steady_tick(Duration::from_secs(1) / u32::from(REFRESH));
    }

    /// Counts one step of the stage. May be called from any thread.
    pub fn step(&self) {
        self.bar.inc(1);
    }

    /// Takes the line away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;

    // A terminal that keeps what is written.
    #[derive(Debug, Clone, Default)]
    struct Kept(Arc<Mutex<String>>);

    impl Kept {
        fn text(&self) -> String {
            self.0.lock().unwrap().clone()
        }
    }

    impl TermLike for Kept {
        fn width(&self) -> u16 {
            80
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            self.0.lock().unwrap().clear();
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stage_is_named_and_counted_and_leaves_nothing_behind() {
        let kept = Kept::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(kept.clone()), 100);
        let progress = Progress::with_target(target);
        progress.stage("rendering", Some(3));
        progress.step();
        progress.step();
        progress.bar.force_draw();
        assert!(kept.text().trim_end().ends_with("rendering 2/3"), "{:?}", kept.text());
        progress.stage("checking", None);
        progress.bar.force_draw();
        assert!(kept.text().trim_end().ends_with("checking 0"), "{:?}", kept.text());
        drop(progress);
        assert_eq!(kept.text(), "");
    }

    #[test]
    fn a_hidden_line_counts_in_silence() {
        let progress = Progress::new(false);
        progress.stage("rendering", None);
        progress.step();
        assert!(progress.bar.is_hidden());
    }
}
