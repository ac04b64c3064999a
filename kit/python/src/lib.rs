//! `eudaemon-kit` for Python: the extension module `eudaemon_kit._kit`. What people call lies in `eudaemon_kit/`.

mod description;
mod life;
mod pid_file;
mod sys;

use eudaemon_kit::Starter;
use eudaemon_kit::notify::{Notifier, parse};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::{create_exception, wrap_pyfunction};

create_exception!(eudaemon_kit, Error, PyException, "What went wrong: what, where and why.");
create_exception!(eudaemon_kit, AlreadyRunning, Error, "Somebody runs already: the pid file is locked.");

/// The exception for an error of the library; its second argument is what to exit with.
pub(crate) fn raised(error: &eudaemon_kit::Error) -> PyErr {
    let arguments = (error.to_string(), error.exit_code());
    if matches!(error, eudaemon_kit::Error::Running { .. } | eudaemon_kit::Error::Named { .. }) {
        AlreadyRunning::new_err(arguments)
    } else {
        Error::new_err(arguments)
    }
}

/// Sends assignments, `KEY=VALUE` in lines, to the manager that `NOTIFY_SOCKET=` names; whether there is one.
#[pyfunction]
fn notify(assignments: &str) -> PyResult<bool> {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET").filter(|socket| !socket.is_empty()) else {
        return Ok(false);
    };
    let sent = Notifier::connect(&socket).and_then(|notifier| notifier.send(&parse(assignments.as_bytes())));
    sent.map(|()| true).map_err(|error| raised(&error))
}

/// Who started this process, in a word, and whether it is to be obeyed when it asks for a daemon in the background.
#[pyfunction]
fn who_started() -> (String, bool) {
    let starter = Starter::look();
    (starter.to_string(), starter.lets_detach())
}

/// Tells an error of a daemon of this name to whoever started the program: for what goes wrong before there is a life.
#[pyfunction]
fn tell(name: &str, reason: String) {
    eudaemon_kit::Error::Handed { reason }.tell(name);
}

#[pymodule]
fn _kit(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("Error", py.get_type::<Error>())?;
    module.add("AlreadyRunning", py.get_type::<AlreadyRunning>())?;
    module.add_class::<description::Description>()?;
    module.add_class::<life::Life>()?;
    module.add_class::<life::Guest>()?;
    module.add_class::<pid_file::PidFile>()?;
    module.add_function(wrap_pyfunction!(notify, module)?)?;
    module.add_function(wrap_pyfunction!(who_started, module)?)?;
    module.add_function(wrap_pyfunction!(tell, module)?)
}
