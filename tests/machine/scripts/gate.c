// gate: a command of a unit that ends when and as it is told. It says who it is on the socket /run/oracle/gate, "UNIT WHAT", and
// obeys the lines that come back:
//   exit N     ends with that status
//   ready      tells the manager that the service is ready, and says "up" once the manager has read it
// Whoever listens knows the process by the socket's credentials. When nobody listens any more it ends well.
//   gate UNIT WHAT       one process
//   gate UNIT fork       leaves a child "UNIT run" behind, as a daemon does, and says "UNIT fork" once the child has spoken
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int reach(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) _exit(99);
    return fd;
}

static void say(int fd, const char *unit, const char *what) {
    char line[256];
    int length = snprintf(line, sizeof line, "%s %s\n", unit, what);
    if (write(fd, line, (size_t)length) != length) _exit(99);
}

// Tells the manager, and waits until it has read that: it closes the pipe that comes with the second message.
static void ready(void) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), ends[2];
    if (!path || fd < 0 || pipe2(ends, O_CLOEXEC) < 0) _exit(99);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (path[0] == '@') address.sun_path[0] = 0;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (sendto(fd, "READY=1", 7, 0, (struct sockaddr *)&address, size) < 0) _exit(99);

    union { struct cmsghdr head; char space[CMSG_SPACE(sizeof(int))]; } control = {0};
    struct iovec text = {"BARRIER=1", 9};
    struct msghdr message = {.msg_name = &address, .msg_namelen = size, .msg_iov = &text, .msg_iovlen = 1,
                             .msg_control = &control, .msg_controllen = sizeof control};
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.head), &ends[1], sizeof(int));
    if (sendmsg(fd, &message, 0) < 0) _exit(99);
    close(ends[1]);
    struct pollfd closed = {.fd = ends[0], .events = POLLHUP};
    poll(&closed, 1, 5000);
    close(ends[0]);
    close(fd);
}

// Becomes two: the child, which closes `told` once it has spoken, and the parent, which waits for that.
static int is_child(int *told) {
    int ends[2];
    char byte;
    if (pipe2(ends, O_CLOEXEC) < 0) _exit(99);
    pid_t child = fork();
    if (child < 0) _exit(99);
    *told = ends[1];
    if (child == 0) return close(ends[0]), setsid(), 1;
    close(ends[1]);
    return read(ends[0], &byte, 1) == 1;
}

int main(int count, char **words) {
    if (count < 3) return 98;
    int told = -1, child = !strcmp(words[2], "fork") && is_child(&told);
    int fd = reach("/run/oracle/gate");
    say(fd, words[1], child ? "run" : words[2]);
    if (child) close(told);
    FILE *orders = fdopen(fd, "r+");
    char line[64];
    while (orders && fgets(line, sizeof line, orders)) {
        if (!strncmp(line, "exit ", 5)) _exit(atoi(line + 5));
        if (!strncmp(line, "ready", 5)) {
            ready();
            if (write(fd, "up\n", 3) != 3) _exit(99);
        }
    }
    return 0;
}
