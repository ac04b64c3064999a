// stamp: a trivial service that says when it first ran, and the floor that managers are measured against.
//   stamp NAME              reads the clock as its first act, appends "NAME NANOSECONDS PID" to /var/stamps, waits for ever
//   stamp then COMMAND...   stamps "then", becomes COMMAND: the moment a manager is executed
//   stamp once NAME         stamps and ends
//   stamp kill PID          stamps "kill", kills PID
//   stamp floor N plain|cgroups
//                           as PID 1: fork, exec and reap of N stamps and nothing else, one in a cgroup of its own each; whoever dies
//                           is started again at once
// The clock is CLOCK_MONOTONIC, which all containers of a machine share.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void say(const char *name, struct timespec when) {
    char line[128];
    int length = snprintf(line, sizeof line, "%s %lld %d\n", name, when.tv_sec * 1000000000LL + when.tv_nsec, getpid());
    int fd = open("/var/stamps", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, line, (size_t)length) != length) _exit(1);
    close(fd);
}

static void join_cgroup(int number) {
    char path[64], file[96];
    snprintf(path, sizeof path, "/sys/fs/cgroup/floor-%d", number);
    mkdir(path, 0755);
    snprintf(file, sizeof file, "%s/cgroup.procs", path);
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1) _exit(1);
    close(fd);
}

static pid_t start(int number, int cgroups) {
    pid_t child = fork();
    if (child) return child;
    if (cgroups) join_cgroup(number);
    char name[32];
    snprintf(name, sizeof name, "bench-%d", number);
    execl("/usr/local/bin/stamp", "stamp", name, (char *)NULL);
    _exit(127);
}

static void floor_loop(int count, int cgroups) {
    pid_t *children = calloc((size_t)count, sizeof *children);
    for (int i = 0; i < count; i++) children[i] = start(i, cgroups);
    for (;;) {
        pid_t dead = waitpid(-1, NULL, 0);
        for (int i = 0; i < count; i++)
            if (children[i] == dead) children[i] = start(i, cgroups);
    }
}

int main(int argc, char **argv) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (argc < 2) return 2;
    if (!strcmp(argv[1], "then")) {
        say("then", now);
        execv(argv[2], argv + 2);
        return 127;
    }
    if (!strcmp(argv[1], "floor")) floor_loop(atoi(argv[2]), !strcmp(argv[3], "cgroups"));
    if (!strcmp(argv[1], "kill")) {
        say("kill", now);
        return kill(atoi(argv[2]), SIGKILL) < 0;
    }
    if (!strcmp(argv[1], "once")) {
        say(argv[2], now);
        return 0;
    }
    say(argv[1], now);
    for (;;) pause();
}
