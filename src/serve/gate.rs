//! The gate of a cluster as a reviewer.

use std::sync::Arc;
use std::time::Instant;

use super::{Reviewer, Source};
use crate::admission::Answer;
use crate::run::{Gate, GateOptions, Inputs};

impl Reviewer for Gate {
    fn digest(&self) -> &str {
        self.digest()
    }

    fn kubernetes(&self) -> String {
        self.kubernetes().to_string()
    }

    fn answer(&self, question: Vec<u8>, deadline: Option<Instant>) -> Answer {
        self.answer(question, deadline)
    }
}

/// Gates from the files that options name.
#[derive(Debug)]
pub struct GateSource(pub GateOptions);

impl Source for GateSource {
    fn digest(&self) -> Result<String, String> {
        let inputs = Inputs::read(&self.0).map_err(|err| err.to_string())?;
        Ok(inputs.digest().to_owned())
    }

    fn make(&self) -> Result<Arc<dyn Reviewer>, String> {
        let gate = Inputs::read(&self.0)
            .and_then(|inputs| Gate::new(&self.0, &inputs))
            .map_err(|err| err.to_string())?;
        gate.prepare();
        Ok(Arc::new(gate))
    }
}
