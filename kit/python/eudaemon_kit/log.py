"""Python's logging, sent where the daemon's lines go."""

import logging

# syslog(3), by the least level that has it.
_PRIORITIES = [
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
]
_DEBUG = 7
# What every record has; the rest is the caller's (`extra=`).
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Handler(logging.Handler):
    """Sends records to the journal with their fields, to syslog, or to stderr: where the daemon's lines go.

    What ``extra=`` adds, the logger's name and the place in the source become fields of the journal's entry.
    """

    def __init__(self, life, level=logging.NOTSET):
        super().__init__(level)
        self._life = life

    def emit(self, record):
        try:
            priority = next((syslog for level, syslog in _PRIORITIES if record.levelno >= level), _DEBUG)
            fields = {}
            if self._life.keeps_fields():
                # In a line for people they would be in the way.
                fields = {
                    "LOGGER": record.name,
                    "CODE_FILE": record.pathname,
                    "CODE_LINE": record.lineno,
                    "CODE_FUNC": record.funcName,
                }
            fields.update((name.upper(), value) for name, value in vars(record).items() if name not in _OWN)
            self._life.log(self.format(record), priority=priority, **fields)
        except Exception:
            self.handleError(record)
