// stamp: a trivial service that says when it first ran, and the floors that managers are measured against.
//   stamp NAME              reads the clock as its first act, appends "NAME NANOSECONDS PID" to /var/stamps, waits for ever
//   stamp then COMMAND...   stamps "then", becomes COMMAND: the moment a manager is executed
//   stamp once NAME         stamps and ends
//   stamp kill PID          stamps "kill", kills PID
//   stamp trips N COMMAND...
//                           runs COMMAND N times, its output thrown away, and prints how many nanoseconds each took
//   stamp floor N plain|joining|born
//                           as PID 1: fork, exec and reap of N stamps, bench-0 and so on, and nothing else; whoever is killed is
//                           started again at once
//        plain              all in one cgroup
//        joining            each makes a cgroup of its own and moves itself there, which costs a migration
//        born               PID 1 makes the cgroups, and each child is born in its own: the least a manager can do that tells
//                           its services apart
// The clock is CLOCK_MONOTONIC, which all containers of a machine share. A floor that cannot do what it says ends with a word on
// standard error: one that did less would be a lower floor than the truth.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum birth { PLAIN, JOINING, BORN };

static void fail(const char *what) {
    fprintf(stderr, "stamp: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static long long nanoseconds(struct timespec when) {
    return when.tv_sec * 1000000000LL + when.tv_nsec;
}

static struct timespec now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time;
}

static void say(const char *name, struct timespec when) {
    char line[128];
    int length = snprintf(line, sizeof line, "%s %lld %d\n", name, nanoseconds(when), getpid());
    int fd = open("/var/stamps", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, line, (size_t)length) != length) fail("/var/stamps");
    close(fd);
}

static void make_cgroup(int number, char *path, size_t size) {
    snprintf(path, size, "/sys/fs/cgroup/bench-%d", number);
    if (mkdir(path, 0755) < 0 && errno != EEXIST) fail(path);
}

static void join_cgroup(int number) {
    char path[64], file[96];
    make_cgroup(number, path, sizeof path);
    snprintf(file, sizeof file, "%s/cgroup.procs", path);
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1) fail(file);
    close(fd);
}

static pid_t fork_into_cgroup(int number) {
    char path[64];
    make_cgroup(number, path, sizeof path);
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) fail(path);
    struct clone_args arguments = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (unsigned)fd};
    pid_t child = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child < 0) fail("clone3 with CLONE_INTO_CGROUP");
    if (child) close(fd);
    return child;
}

static pid_t start(int number, enum birth birth) {
    pid_t child = birth == BORN ? fork_into_cgroup(number) : fork();
    if (child < 0) fail("fork");
    if (child) return child;
    if (birth == JOINING) join_cgroup(number);
    char name[32];
    snprintf(name, sizeof name, "bench-%d", number);
    execl("/usr/local/bin/stamp", "stamp", name, (char *)NULL);
    fail("/usr/local/bin/stamp");
    return 0;
}

static int floor_loop(int count, const char *word) {
    enum birth birth = PLAIN;
    if (!strcmp(word, "joining")) birth = JOINING;
    else if (!strcmp(word, "born")) birth = BORN;
    else if (strcmp(word, "plain")) return 2;
    pid_t *children = calloc((size_t)count, sizeof *children);
    if (!children) fail("memory");
    for (int i = 0; i < count; i++) children[i] = start(i, birth);
    for (;;) {
        int status;
        pid_t dead = waitpid(-1, &status, 0);
        for (int i = 0; i < count; i++) {
            if (children[i] != dead) continue;
            // A service waits for ever: one that ended by itself has failed and said why.
            if (WIFEXITED(status)) return 1;
            children[i] = start(i, birth);
        }
    }
}

static int trips(int count, char **command) {
    for (int i = 0; i < count; i++) {
        struct timespec start = now();
        pid_t child = fork();
        if (child < 0) fail("fork");
        if (!child) {
            int null = open("/dev/null", O_WRONLY);
            if (null < 0 || dup2(null, 1) < 0) fail("/dev/null");
            execvp(command[0], command);
            fail(command[0]);
        }
        int status;
        if (waitpid(child, &status, 0) != child) fail("waitpid");
        long long taken = nanoseconds(now()) - nanoseconds(start);
        if (!WIFEXITED(status) || WEXITSTATUS(status)) {
            fprintf(stderr, "stamp: %s: wait status %d in run %d\n", command[0], status, i);
            return 1;
        }
        printf("%lld\n", taken);
    }
    return 0;
}

int main(int argc, char **argv) {
    struct timespec first = now();
    if (argc < 2) return 2;
    if (argc == 2) {
        say(argv[1], first);
        for (;;) pause();
    }
    if (!strcmp(argv[1], "then")) {
        say("then", first);
        execv(argv[2], argv + 2);
        fail(argv[2]);
    }
    if (!strcmp(argv[1], "once")) {
        say(argv[2], first);
        return 0;
    }
    if (!strcmp(argv[1], "kill")) {
        say("kill", first);
        return kill(atoi(argv[2]), SIGKILL) < 0;
    }
    if (argc > 3 && !strcmp(argv[1], "trips")) return trips(atoi(argv[2]), argv + 3);
    if (argc > 3 && !strcmp(argv[1], "floor")) return floor_loop(atoi(argv[2]), argv[3]);
    return 2;
}
