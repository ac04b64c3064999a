//! What tools are told.

use super::*;

#[test]
fn for_tools() {
    let files: &[(&str, &[u8])] = &[("a.service", "[Service]\nExecStart=/bin/true é\nUsr=ä\n".as_bytes())];
    expect![[r#"
        [
          {
            "file": "/u/a.service",
            "line": 3,
            "column": 1,
            "end_column": 4,
            "severity": "warning",
            "code": "unknown-key",
            "message": "Unknown key 'Usr' in section [Service], ignoring.",
            "expected": "a key of that section",
            "suggestion": "User",
            "notes": []
          },
          {
            "file": "gone.service",
            "line": null,
            "column": null,
            "end_column": null,
            "severity": "error",
            "code": "not-found",
            "message": "Unit gone.service not found.",
            "expected": null,
            "suggestion": null,
            "notes": [
              "looked for in /u, /usr/lib/eudaemon/system"
            ]
          }
        ]
    "#]]
    .assert_eq(&json::array(&said(files, &asking(&["a.service", "gone.service"])).findings));
}
