//! The loop that drives an engine: the same for the running system and for every test.

use crate::api::{Input, Moment, Output};
use crate::engine::Engine;

/// What surrounds an engine. It may read the engine at any time, and changes it only through inputs.
pub trait World {
    fn now(&self) -> Moment;

    /// The engine is about to hear this; a world may keep it.
    fn witness(&mut self, _engine: &Engine, _now: Moment, _input: &Input) {}

    /// Writes down what changed, does what is ordered, tells what is announced; in this order.
    fn perform(&mut self, engine: &Engine, output: Output);

    /// Waits until something happens or `deadline` (monotonic, microseconds) has passed.
    fn wait(&mut self, engine: &Engine, deadline: Option<u64>) -> Waited;
}

#[derive(Debug)]
pub enum Waited {
    /// What happened, in order; empty: the deadline has passed.
    Heard(Vec<Input>),
    /// There is nothing more to wait for.
    Over,
}

/// Runs until the world says that it is over.
pub fn run(engine: &mut Engine, world: &mut impl World) {
    loop {
        let inputs = match world.wait(engine, engine.next_deadline()) {
            Waited::Heard(inputs) if inputs.is_empty() => vec![Input::Tick],
            Waited::Heard(inputs) => inputs,
            Waited::Over => return,
        };
        for input in inputs {
            let now = world.now();
            world.witness(engine, now, &input);
            let output = engine.step(now, input);
            world.perform(engine, output);
        }
    }
}
