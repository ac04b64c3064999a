//! A pid file by itself.

use crate::raised;
use pyo3::prelude::*;
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// A pid file that is locked for life: PEP 3143's `pidfile`, or by itself.
#[pyclass(frozen, subclass, module = "eudaemon_kit._kit")]
pub(crate) struct PidFile {
    #[pyo3(get)]
    path: PathBuf,
    file: Mutex<Option<eudaemon_kit::PidFile>>,
}

#[pymethods]
impl PidFile {
    #[new]
    fn new(path: PathBuf) -> PidFile {
        PidFile { path, file: Mutex::default() }
    }

    /// Makes and locks it, and nothing stands in it yet. The lock goes along over a fork.
    fn lock(&self) -> PyResult<()> {
        let file = eudaemon_kit::PidFile::lock(&self.path).map_err(|error| raised(&error))?;
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
        Ok(())
    }

    /// Writes this process's number.
    fn write(&self) -> PyResult<()> {
        match &mut *self.file.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(file) => file.write().map_err(|error| raised(&error)),
            None => Ok(()),
        }
    }

    /// Takes it away if it is this process's, and lets go of the lock.
    fn release(&self) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The descriptor that holds the lock, while it is held.
    fn fileno(&self) -> Option<i32> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|file| file.as_fd().as_raw_fd())
    }

    /// The process that it names, if it is locked: a daemon that runs.
    fn running(&self) -> PyResult<Option<u32>> {
        eudaemon_kit::PidFile::running(&self.path).map_err(|error| raised(&error))
    }

    /// Locks it, unless this process did before, and writes it.
    fn __enter__(slf: PyRef<'_, Self>) -> PyResult<PyRef<'_, Self>> {
        if slf.file.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            slf.lock()?;
        }
        slf.write()?;
        Ok(slf)
    }

    fn __exit__(&self, _kind: &Bound<'_, PyAny>, _value: &Bound<'_, PyAny>, _traceback: &Bound<'_, PyAny>) {
        self.release();
    }
}
