//! The gate of a cluster as a reviewer.

use std::sync::Arc;
use std::time::Instant;

use super::{Reviewer, Source};
use crate::admission::Answer;
use crate::date::Date;
use crate::run::{Gate, GateOptions, Inputs};

/// A gate, and who tells it the day: it may run for months.
struct Dated {
    gate: Gate,
    today: fn() -> Date,
}

impl Reviewer for Dated {
    fn digest(&self) -> &str {
        self.gate.digest()
    }

    fn kubernetes(&self) -> String {
        self.gate.kubernetes().to_string()
    }

    fn answer(&self, question: Vec<u8>, deadline: Option<Instant>) -> Answer {
        self.gate.answer(question, (self.today)(), deadline)
    }
}

/// Gates from the files that options name.
#[derive(Debug)]
pub struct GateSource {
    /// What the gates are made from.
    pub options: GateOptions,
    /// Asked at each review for the day that the expiry of waivers is compared with.
    pub today: fn() -> Date,
}

impl Source for GateSource {
    fn digest(&self) -> Result<String, String> {
        let inputs = Inputs::read(&self.options).map_err(|err| err.to_string())?;
        Ok(inputs.digest().to_owned())
    }

    fn make(&self) -> Result<Arc<dyn Reviewer>, String> {
        let gate = Inputs::read(&self.options)
            .and_then(|inputs| Gate::new(&self.options, &inputs))
            .map_err(|err| err.to_string())?;
        gate.prepare();
        Ok(Arc::new(Dated { gate, today: self.today }))
    }
}
