//! The manager's own files.

use super::*;

#[test]
fn the_managers_own_files() {
    let text =
        b"[Manager]\nDefaultTimoutStopSec=5\nDefaultTimeoutStopSec=late\nCPUAffinity=0\n[Service]\nUser=a\n";
    check(
        &[("system.conf.d/a.conf", text), ("a.service", GOOD)],
        &["system.conf.d/a.conf", "a.service"],
        expect![[r#"
            warning[unknown-key]: Unknown key 'DefaultTimoutStopSec' in section [Manager], ignoring.
             --> /u/system.conf.d/a.conf:2:1
              |
            2 | DefaultTimoutStopSec=5
              | ^^^^^^^^^^^^^^^^^^^^ expected a key of that section
              |
            help: did you mean `DefaultTimeoutStopSec`?
              |
            2 | DefaultTimeoutStopSec=5
              |           +

            warning[bad-value]: Failed to parse sec value, ignoring: late
             --> /u/system.conf.d/a.conf:3:23
              |
            3 | DefaultTimeoutStopSec=late
              |                       ^^^^ expected a length of time such as 5s, 1min 30s or infinity

            note[remark]: CPUAffinity= is not acted on yet
             --> /u/system.conf.d/a.conf:4:13
              |
            4 | CPUAffinity=0
              |             ^

            warning[unknown-section]: Unknown section 'Service'. Ignoring.
             --> /u/system.conf.d/a.conf:5:2
              |
            5 | [Service]
              |  ^^^^^^^ expected [Manager]

            verify: 3 warnings, 1 note
        "#]],
    );
    check(
        &[("user.conf", b"[Manager]\nDefaultTasksMax=10%\n")],
        &["user.conf"],
        expect![[r#"
        note[remark]: DefaultTasksMax= is acted on in part: shown as the default of units; control groups are not limited yet
         --> /u/user.conf:2:17
          |
        2 | DefaultTasksMax=10%
          |                 ^^^

        verify: 1 note
    "#]],
    );
}
