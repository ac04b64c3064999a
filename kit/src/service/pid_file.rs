//! Pid files, as scripts read them: root acts on the number that stands in one, and who may write it need not be root.

use super::description::Service;
use super::word::quoted;

/// By its beginning and its number a process is known again: proc(5).
const PROCESSES: &str = r#"
# When a process began, in the kernel's count; nothing if it has ended.
born() { sed -n 's/^.*) [^ZX] //p' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f19; }

# Whose a process is.
owner() { sed -n 's/^Uid:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status" 2>/dev/null; }
"#;

const READ: &str = r#"
# Takes MAINPID out of a pid file that may be believed: the number of a process that runs.
read_pid_file() {
    MAINPID=
    # Through a link somebody else's file would be read.
    if [ -h "$1" ] || ! [ -f "$1" ] || ! [ -s "$1" ]; then return 1; fi
    read -r MAINPID _ <"$1"
    case $MAINPID in '' | 0* | *[!0-9]*) MAINPID=; return 1 ;; esac
    if [ -n "$(born "$MAINPID")" ] && may_name "$(stat -c %u "$1")" "$(owner "$MAINPID")"; then
        export MAINPID
        return 0
    fi
    MAINPID=
    return 1
}
"#;

/// The functions `born` and `read_pid_file`.
pub(super) fn functions(service: &Service) -> String {
    let is_its = match service.rights.user.as_deref() {
        None | Some("root" | "0") => String::new(),
        Some(user) => format!(" && [ \"$2\" = \"$(id -u {})\" ]", quoted(user)),
    };
    format!(
        "{PROCESSES}
# Whether a file of the first user may name a process of the second: who is not root has but his own.
may_name() {{ {{ [ \"$1\" = 0 ] || [ \"$1\" = \"$2\" ]; }}{is_its}; }}
{READ}"
    )
}
