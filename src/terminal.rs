//! What the place that a report goes to can show.

use std::io::IsTerminal as _;

use tidewaiter::cli::ColorChoice;
use tidewaiter::report::Style;

/// Narrower than any line that a log cuts, wide enough for a path and a column.
const WIDTH: usize = 100;

/// Standard output and standard error, as far as reports care.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    style: Style,
    error_color: bool,
    progress: bool,
}

impl Terminal {
    /// The style of a report that goes to a file.
    pub(crate) const FILE: Style =
        Style { color: false, unicode: true, width: WIDTH, links: false };

    /// Looks at the terminal and the environment, once.
    pub(crate) fn new(color: ColorChoice) -> Self {
        let stdout = std::io::stdout().is_terminal();
        let stderr = std::io::stderr().is_terminal();
        let colored = |is_terminal| match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                let forced = variable("FORCE_COLOR").or_else(|| variable("CLICOLOR_FORCE"));
                variable("NO_COLOR").is_none()
                    && match forced {
                        Some(forced) => forced != "0",
                        None => is_terminal && variable("TERM").is_none_or(|term| term != "dumb"),
                    }
            }
        };
        let columns = variable("COLUMNS").and_then(|columns| columns.parse().ok());
        let width = if stdout {
            terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
        } else {
            None
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
        // Logs and files take any text; only an old terminal says that it does not.
        let unicode = !stdout
            || locale.is_none_or(|locale| {
                let locale = locale.to_lowercase();
                locale.contains("utf-8") || locale.contains("utf8")
            });
        Self {
            style: Style {
                color: colored(stdout),
                unicode,
                width: columns.or(width).unwrap_or(WIDTH),
                links: false,
            },
            error_color: colored(stderr),
            progress: stderr && stdout,
        }
    }

    /// Returns the style of a report on standard output.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// Returns the style of what is said on standard error.
    pub(crate) fn error_style(&self) -> Style {
        Style { color: self.error_color, ..self.style }
    }

    /// Says whether a progress line may be drawn.
    pub(crate) fn shows_progress(&self) -> bool {
        self.progress
    }
}

/// Returns a variable of the environment that is set to something.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
