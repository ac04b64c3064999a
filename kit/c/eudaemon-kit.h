/* eudaemon-kit: for people who write daemons. Made of kit/c/src; change it there.
 *
 * A program describes its daemon (`eudaemon_new` and the `eudaemon_set_…` that follow), starts it (`eudaemon_start`),
 * says when it is ready (`eudaemon_ready`), waits for what happens (`eudaemon_wait`) and ends it (`eudaemon_finish`,
 * `eudaemon_fail`). Where it was started, by a shell, with `--daemon`, by systemd, eudaemon, s6, runit, inetd or as a
 * container's first process, it does what is right there.
 *
 * Text is UTF-8 and ends in NUL; what is passed in is copied. Functions that can fail give -1 or NULL, and
 * `eudaemon_error` says what, where and why. A `struct eudaemon_life` belongs to the thread that started it; functions
 * that say so may be called from every thread meanwhile. Threads must not exist before `eudaemon_start`.
 */

#ifndef EUDAEMON_KIT_H
#define EUDAEMON_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 A Consul agent: the one at `CONSUL_HTTP_ADDR=`, else at 127.0.0.1:8500.
 */
#define EUDAEMON_CONSUL 1

/*
 DNS-SD on the local network, by Avahi.
 */
#define EUDAEMON_AVAHI 2

/*
 The daemon stays where it was started.
 */
#define EUDAEMON_FOREGROUND 1

/*
 The daemon detaches; the process that was started waits until it is ready.
 */
#define EUDAEMON_BACKGROUND 2

/*
 A listening TCP socket, at `HOST:PORT`, `ADDRESS:PORT` or `[ADDRESS]:PORT`.
 */
#define EUDAEMON_TCP 1

/*
 A UDP socket, at such an address.
 */
#define EUDAEMON_UDP 2

/*
 A listening Unix stream socket, at a path.
 */
#define EUDAEMON_UNIX 3

/*
 A Unix datagram socket, at a path.
 */
#define EUDAEMON_UNIX_DATAGRAM 4

/*
 Nothing has happened.
 */
#define EUDAEMON_NOTHING 0

/*
 Asked to stop: finish what is open and call `eudaemon_finish`. The time for it runs.
 */
#define EUDAEMON_STOP 1

/*
 Asked to read the configuration again; `eudaemon_reloaded` or `eudaemon_reload_failed` says what came of it. Who says
 neither has reloaded when it waits again.
 */
#define EUDAEMON_RELOAD 2

/*
 One of the descriptors asked about can be read or was closed.
 */
#define EUDAEMON_READABLE 3

/*
 The time asked for is over.
 */
#define EUDAEMON_TIME_OVER 4

/*
 A daemon's description.

 The `eudaemon_set_…` never fail by themselves: the first thing that is wrong in the description is an error of
 `eudaemon_start`. NULL for a description is ignored.
 */
struct eudaemon;

/*
 What others are told of a daemon.

 The `eudaemon_announcement_…` never fail by themselves: the first thing that is wrong is an error of `eudaemon_start`.
 NULL for an announcement is ignored.
 */
struct eudaemon_announcement;

/*
 One piece of open work, which a stop waits for.
 */
struct eudaemon_guest;

/*
 A running daemon.
 */
struct eudaemon_life;

/*
 A pid file that this process has locked.
 */
struct eudaemon_pid_file;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 An announcement of a service of this name, which counts as well while the daemon comes back to `eudaemon_wait` within
 30 s. It ends by `eudaemon_announce` or `eudaemon_announcement_free`.
 */
struct eudaemon_announcement *eudaemon_announcement_new(const char *name);

/*
 Forgets an announcement that was given to no daemon.
 */
void eudaemon_announcement_free(struct eudaemon_announcement *announcement);

/*
 The port that the service is found at.
 */
void eudaemon_announcement_set_port(struct eudaemon_announcement *announcement, uint16_t port);

/*
 The port, and the address if there is only one, that the daemon's socket of this name turns out to be bound to.
 */
void eudaemon_announcement_set_socket(struct eudaemon_announcement *announcement,
                                      const char *name);

/*
 The IP address that it is found at, instead of the registry's own idea of this machine.
 */
void eudaemon_announcement_set_address(struct eudaemon_announcement *announcement, const char *address);

/*
 One more tag.
 */
void eudaemon_announcement_add_tag(struct eudaemon_announcement *announcement, const char *tag);

/*
 It counts as well while the daemon comes back to `eudaemon_wait`, or says `eudaemon_alive`, within so many milliseconds.
 */
void eudaemon_announcement_set_ttl(struct eudaemon_announcement *announcement,
                                   uint64_t milliseconds);

/*
 Consul's agent asks for this path every so many milliseconds by HTTP.
 */
void eudaemon_announcement_set_http(struct eudaemon_announcement *announcement,
                                    const char *path,
                                    uint64_t milliseconds);

/*
 Consul's agent connects every so many milliseconds.
 */
void eudaemon_announcement_set_tcp(struct eudaemon_announcement *announcement, uint64_t milliseconds);

/*
 The type that it has in DNS-SD, `_http._tcp` say; made of the name otherwise.
 */
void eudaemon_announcement_set_type(struct eudaemon_announcement *announcement, const char *service_type);

/*
 Enters the daemon in a registry, `EUDAEMON_CONSUL` or `EUDAEMON_AVAHI`, once it is ready, and takes it out again when a
 stop begins. The announcement is gone afterwards. A registry that is away is no error: the log says so.
 */
void eudaemon_announce(struct eudaemon *daemon,
                       int registry,
                       struct eudaemon_announcement *announcement);

/*
 Describes a daemon of this name, which stands before its lines. It ends by `eudaemon_start` or `eudaemon_free`.
 */
struct eudaemon *eudaemon_new(const char *name);

/*
 Forgets a description that is not started.
 */
void eudaemon_free(struct eudaemon *daemon);

/*
 Where it runs, `EUDAEMON_FOREGROUND` or `EUDAEMON_BACKGROUND`, instead of looking for `--daemon` among the program's
 arguments. Under a supervisor it stays in the foreground whatever is said here.
 */
void eudaemon_set_ground(struct eudaemon *daemon,
                         int ground);

/*
 Has a pid file, locked for life and written when the daemon is ready; not under a manager that keeps count itself.
 */
void eudaemon_set_pid_file(struct eudaemon *daemon,
                           const char *path);

/*
 Wants a socket of this kind (`EUDAEMON_TCP` and its kin), by a name, at an address: handed over by whoever started
 the program, or bound before rights are given up. `eudaemon_take` takes it.
 */
void eudaemon_set_socket(struct eudaemon *daemon,
                         int kind,
                         const char *name,
                         const char *address);

/*
 As `eudaemon_set_socket` with `EUDAEMON_UNIX` or `EUDAEMON_UNIX_DATAGRAM`, and who may connect: permission bits,
 0666 otherwise.
 */
void eudaemon_set_unix_socket(struct eudaemon *daemon,
                              int kind,
                              const char *name,
                              const char *path,
                              uint32_t mode);

/*
 Becomes this user, by name or number, with its group and groups, once sockets, pid file and log are open.
 */
void eudaemon_set_user(struct eudaemon *daemon, const char *user);

/*
 Has this group, by name or number, instead of the user's.
 */
void eudaemon_set_group(struct eudaemon *daemon, const char *group);

/*
 Has these supplementary groups instead of the user's.
 */
void eudaemon_set_groups(struct eudaemon *daemon, const char *const *groups, size_t count);

/*
 Sees this directory as `/`: chroot(2).
 */
void eudaemon_set_root_directory(struct eudaemon *daemon, const char *path);

/*
 Keeps these capabilities over the change of user, and no others: bits by the numbers of linux/capability.h.
 */
void eudaemon_set_capabilities(struct eudaemon *daemon, uint64_t kept);

/*
 Nothing that the daemon executes gains rights that the daemon has not: `PR_SET_NO_NEW_PRIVS` of prctl(2).
 */
void eudaemon_set_no_new_privileges(struct eudaemon *daemon);

/*
 Its working directory in the background, `/` otherwise.
 */
void eudaemon_set_directory(struct eudaemon *daemon, const char *path);

/*
 What files that it makes in the background are without: permission bits, 022 otherwise.
 */
void eudaemon_set_umask(struct eudaemon *daemon, uint32_t umask);

/*
 The file that stdout is appended to in the background, instead of going nowhere.
 */
void eudaemon_set_stdout(struct eudaemon *daemon, const char *path);

/*
 The file that stderr is appended to in the background once the daemon is ready, instead of going nowhere.
 */
void eudaemon_set_stderr(struct eudaemon *daemon, const char *path);

/*
 In the background, only these environment variables stay.
 */
void eudaemon_set_only_variables(struct eudaemon *daemon, const char *const *names, size_t count);

/*
 Sets a resource limit, soft and hard: a `RLIMIT_…` of sys/resource.h, and what setrlimit(2) takes.
 */
void eudaemon_set_limit(struct eudaemon *daemon, int resource, uint64_t to);

/*
 Keeps a descriptor open in the background that came from whoever started the program, or that a library opened without
 `O_CLOEXEC`; all others of that kind are closed there.
 */
void eudaemon_set_keep(struct eudaemon *daemon,
                       int fd);

/*
 Writes a newline to this descriptor when ready, and closes it: s6's `notification-fd`.
 */
void eudaemon_set_notification_fd(struct eudaemon *daemon, int fd);

/*
 How long a stop may take, in milliseconds, 30,000 otherwise; then it ends by force. Whole seconds count.
 */
void eudaemon_set_stop_within(struct eudaemon *daemon, uint64_t milliseconds);

/*
 How long the process in front waits for the daemon to be ready, in milliseconds, for ever otherwise. Then the daemon is
 stopped again.
 */
void eudaemon_set_ready_within(struct eudaemon *daemon,
                               uint64_t milliseconds);

/*
 Sets everything up and gives the running daemon. The description is gone afterwards, whatever comes of it.

 In the background only the daemon returns from it: the process that was started waits inside, reports and exits.
 NULL when something failed; whoever started the program has been told then, on the way that reaches them, and the
 program has only to return `eudaemon_exit_code()`.
 */
struct eudaemon_life *eudaemon_start(struct eudaemon *daemon);

/*
 Prints unit files for this daemon into a directory: `NAME.service`, and `NAME.socket` if it has sockets, hardened as
 far as the description allows. `program` is the daemon's absolute path.
 */
int eudaemon_write_units(struct eudaemon *daemon,
                         const char *directory,
                         const char *description,
                         const char *program,
                         const char *const *arguments,
                         size_t count);

/*
 What went wrong last in this thread: what, where and why. The text is good until the next call that fails; it is
 empty when none has.
 */
const char *eudaemon_error(void);

/*
 What a program that ends by it should exit with: a number of sysexits.h where it has one, else 1.
 */
int eudaemon_exit_code(void);

/*
 Says that the daemon does its work now: to the manager, the supervisor, or the process that waits in front. The second
 time, nothing happens.
 */
int eudaemon_ready(struct eudaemon_life *life);

/*
 Waits for what happens next: a stop, a reload, one of these descriptors becoming readable, or so many milliseconds
 passing (-1: for ever). Answers with `EUDAEMON_STOP`, `EUDAEMON_RELOAD`, `EUDAEMON_READABLE` (its place in the array
 in `which`, which may be NULL), `EUDAEMON_TIME_OVER`, or -1.

 While it waits, the watchdog is answered: a daemon that comes back here in time is alive.
 */
int eudaemon_wait(struct eudaemon_life *life,
                  const int *readable,
                  size_t count,
                  int64_t milliseconds,
                  size_t *which);

/*
 What was asked of the daemon and not yet dealt with: as `eudaemon_wait`, but waits for nothing; `EUDAEMON_NOTHING` if
 there is nothing.
 */
int eudaemon_heard(struct eudaemon_life *life);

/*
 A descriptor that is readable when `eudaemon_heard` has something: for loops of another make. It stays the daemon's.
 */
int eudaemon_fd(struct eudaemon_life *life);

/*
 The reload is finished.
 */
int eudaemon_reloaded(struct eudaemon_life *life);

/*
 The reload failed, and the old configuration stays: the manager is told why, and that the daemon goes on.
 */
int eudaemon_reload_failed(struct eudaemon_life *life, const char *reason);

/*
 Takes a socket of this kind and name, which is the caller's then; -1 if there is none (any more) or it is of another
 kind.
 */
int eudaemon_take(struct eudaemon_life *life,
                  int kind,
                  const char *name);

/*
 Takes a descriptor of any kind by its name: one of the fd store, say. Of several with one name, the first. -1 if there
 is none.
 */
int eudaemon_take_any(struct eudaemon_life *life,
                      const char *name);

/*
 Takes the one connection that inetd, or a socket unit with `Accept=yes`, started the program for; -1 if it was not
 started for one.
 */
int eudaemon_take_connection(struct eudaemon_life *life);

/*
 The name of a descriptor that nobody took yet, by its place; the length of the name, which is written as far as there
 is room, NUL included. -1 behind the last one.
 */
int eudaemon_name(struct eudaemon_life *life,
                  size_t place,
                  char *name,
                  size_t room);

/*
 Whether the socket of this name was handed over: by a socket unit, or out of the fd store.
 */
bool eudaemon_is_handed(struct eudaemon_life *life, const char *name);

/*
 Leaves a copy of a descriptor with the manager, which hands it to the next start under this name: `FDSTORE=1` of
 sd_notify(3).
 */
int eudaemon_store(struct eudaemon_life *life,
                   const char *name,
                   int stored);

/*
 Who started the program: `manager`, `silent manager`, `supervisor NAME`, `superserver`, `nobody` (it is process 1),
 `init`, `terminal` or `program`. The text is the daemon's.
 */
const char *eudaemon_starter(const struct eudaemon_life *life);

/*
 The number of this run, as the journal has it, `INVOCATION_ID=`; NULL if nobody gave one. The text is the daemon's.
 */
const char *eudaemon_invocation(const struct eudaemon_life *life);

/*
 How often a sign of life is expected at the latest, in microseconds, `WATCHDOG_USEC=`; 0 if none is.
 */
uint64_t eudaemon_watchdog(struct eudaemon_life *life);

/*
 Reads a secret that the manager gave, a file of `CREDENTIALS_DIRECTORY=`, into new memory, which `eudaemon_forget`
 gives back. NULL with a length of 0 if it gave none of that name; NULL with a length of 1 if it cannot be read.
 */
void *eudaemon_credential(struct eudaemon_life *life,
                          const char *name,
                          size_t *length);

/*
 Overwrites a secret of `eudaemon_credential` and gives its memory back.
 */
void eudaemon_forget(void *secret, size_t length);

/*
 Tells people what the daemon is at, in one line: `systemctl status` shows it. From every thread.
 */
int eudaemon_status(const struct eudaemon_life *life, const char *status);

/*
 Tells the manager that the daemon is alive, for daemons that do not wait in `eudaemon_wait`. From every thread.
 */
int eudaemon_alive(const struct eudaemon_life *life);

/*
 Writes a line where the daemon's lines go, with a priority of syslog.h (`LOG_ERR` …; a facility is left
 out). From every thread.
 */
int eudaemon_log(const struct eudaemon_life *life, int priority, const char *line);

/*
 Asks the daemon to stop, as SIGTERM does. From every thread.
 */
int eudaemon_stop(const struct eudaemon_life *life);

/*
 Whether the daemon was asked to stop. From every thread.
 */
bool eudaemon_is_stopping(const struct eudaemon_life *life);

/*
 Open work begins that a stop waits for, until `eudaemon_guest_leaves`. From every thread.
 */
struct eudaemon_guest *eudaemon_guest_comes(const struct eudaemon_life *life);

/*
 Open work is done. From every thread.
 */
void eudaemon_guest_leaves(struct eudaemon_guest *guest);

/*
 The end as wished: waits for open work as long as a stop may take, takes away what was made, and gives 0, for `main` to
 return. The daemon is gone afterwards; threads must not use it any more.
 */
int eudaemon_finish(struct eudaemon_life *life);

/*
 The end by an error: it is told once, where it is read, and what was made is taken away. `exit` is what the program is
 about to exit with, from 1 to 255; `error` the system's number of the error, or 0; `reason` why, or NULL for what
 `eudaemon_error` says. Gives `exit`, for `main` to return. The daemon is gone afterwards.
 */
int eudaemon_fail(struct eudaemon_life *life,
                  int exit,
                  int error,
                  const char *reason);

/*
 Sends assignments, `KEY=VALUE` in lines, to the manager that `NOTIFY_SOCKET=` names: 1 if there is one and it was told, 0
 if there is none, -1 if it could not be reached.
 */
int eudaemon_notify(const char *assignments);

/*
 Who started this process, in the words of `eudaemon_starter`, written as far as there is room, NUL included. Gives 1 if
 it is to be obeyed when it asks for a daemon in the background, 0 if the program has to stay in the foreground.
 */
int eudaemon_who_started(char *name,
                         size_t room);

/*
 Makes and locks a pid file; NULL if somebody runs already or it cannot be made. The lock goes along over fork(2).
 */
struct eudaemon_pid_file *eudaemon_pid_file_lock(const char *path);

/*
 Writes this process's number; from now on it is this process that takes the file away.
 */
int eudaemon_pid_file_write(struct eudaemon_pid_file *pid_file);

/*
 Takes the file away if it is this process's, and lets go of the lock.
 */
void eudaemon_pid_file_free(struct eudaemon_pid_file *pid_file);

/*
 The process that a pid file names, if it is locked: a daemon that runs. 0 if none does, -1 if it cannot be read.
 */
int64_t eudaemon_pid_file_running(const char *path);

/*
 Answers `PROGRAM service install|uninstall|start|stop|status` and `PROGRAM service --help`, where the program was called
 so: acts on the service that is this program, as it is called now, with these arguments. `argc` and `argv` are `main`'s.

 What to exit with, or -1 where the program was not called so and is meant itself. What is wrong with the description is
 told then, and 70 is what to exit with. The description is as it was. It is
 called before `eudaemon_start`; what is done is told on stdout, and what goes wrong on stderr.
 */
int eudaemon_answer_service(struct eudaemon *daemon,
                            int argc,
                            const char *const *argv,
                            const char *description,
                            const char *const *arguments,
                            size_t count);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* EUDAEMON_KIT_H */
