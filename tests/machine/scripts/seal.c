// seal MODE COMMAND...: puts a seccomp filter on itself, then becomes COMMAND.
//   nosync   fsync and its kin do nothing and succeed: for building root file systems that may be thrown away
//   docker   what a default container of docker may not do (measured against its profile): clone3 is unknown, mounts and
//            namespaces are refused; and only its fourteen capabilities stay in the bounding set. Removes its own file,
//            since it has to be put into the root it leaves no trace in.
// The filter is a list of refusals where docker's is a list of permissions: what no program under test calls is left out.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct refusal { int call; int error; };

static const struct refusal nosync[] = {
    {SYS_fsync, 0}, {SYS_fdatasync, 0}, {SYS_sync, 0}, {SYS_syncfs, 0}, {SYS_msync, 0}, {SYS_sync_file_range, 0},
};

static const struct refusal docker[] = {
    {SYS_clone3, ENOSYS},
    {SYS_mount, EPERM}, {SYS_umount2, EPERM}, {SYS_pivot_root, EPERM}, {SYS_unshare, EPERM}, {SYS_setns, EPERM},
    {SYS_fsopen, EPERM}, {SYS_fsconfig, EPERM}, {SYS_fsmount, EPERM}, {SYS_fspick, EPERM}, {SYS_open_tree, EPERM},
    {SYS_move_mount, EPERM}, {442 /* mount_setattr */, EPERM},
    {SYS_keyctl, EPERM}, {SYS_add_key, EPERM}, {SYS_request_key, EPERM},
    {SYS_reboot, EPERM}, {SYS_sethostname, EPERM}, {SYS_setdomainname, EPERM}, {SYS_settimeofday, EPERM},
    {SYS_clock_settime, EPERM}, {SYS_syslog, EPERM}, {SYS_swapon, EPERM}, {SYS_swapoff, EPERM}, {SYS_acct, EPERM},
    {SYS_kexec_load, EPERM}, {SYS_init_module, EPERM}, {SYS_finit_module, EPERM}, {SYS_delete_module, EPERM},
    {SYS_vhangup, EPERM}, {SYS_quotactl, EPERM}, {SYS_bpf, EPERM}, {SYS_perf_event_open, EPERM},
    {SYS_fanotify_init, EPERM}, {SYS_userfaultfd, EPERM}, {SYS_kcmp, EPERM}, {SYS_open_by_handle_at, EPERM},
    {SYS_io_uring_setup, EPERM}, {SYS_io_uring_enter, EPERM}, {SYS_io_uring_register, EPERM},
};

static const int docker_capabilities[] = {
    CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FSETID, CAP_FOWNER, CAP_MKNOD, CAP_NET_RAW, CAP_SETGID, CAP_SETUID, CAP_SETFCAP,
    CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_KILL, CAP_AUDIT_WRITE,
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

static int install(const struct refusal *list, size_t count, int clone_flags) {
    struct sock_filter code[2 * 64 + 8];
    size_t n = 0;
    code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count; i++) {
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, list[i].call, 0, 1);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | list[i].error);
    }
    if (clone_flags) { // clone(2) with a namespace among its flags, the low word of its first argument
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]));
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, clone_flags, 0, 1);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    }
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = (unsigned short)n, .filter = code};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int keep_capabilities(const int *kept, size_t count) {
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++) {
        int keep = 0;
        for (size_t i = 0; i < count; i++) keep |= kept[i] == cap;
        if (!keep && prctl(PR_CAPBSET_DROP, cap) < 0) return -1;
    }
    return 0;
}

int main(int argc, char **argv) {
    int failed = -1;
    if (argc < 3) return 2;
    if (!strcmp(argv[1], "nosync")) failed = install(nosync, COUNT(nosync), 0);
    if (!strcmp(argv[1], "docker")) {
        unlink(argv[0]);
        failed = install(docker, COUNT(docker), NAMESPACES) || keep_capabilities(docker_capabilities, COUNT(docker_capabilities));
    }
    if (failed) { perror("seal: filter"); return 1; }
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 127;
}
