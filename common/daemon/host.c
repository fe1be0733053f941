#include "common/daemon/host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/file.h"

enum { PATH_BYTES = 4096 };

enum cu_err cu_host_make_dir(const char *path, mode_t mode, struct cu_diag *diag)
{
    char part[PATH_BYTES];
    if (snprintf(part, sizeof part, "%s", path) >= PATH_BYTES)
        return cu_fail(diag, CU_E_INVALID, "path over %d bytes", PATH_BYTES);
    for (char *at = part + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        (void)mkdir(part, 0755); /* the last one's error says it all */
        *at = '/';
    }
    struct stat info;
    if (mkdir(path, mode) && (errno != EEXIST || stat(path, &info) || !S_ISDIR(info.st_mode)))
        return cu_fail(diag, CU_E_IO, "cannot create the folder %s: %s", path, strerror(errno));
    return CU_OK;
}

enum cu_err cu_host_lock_pid_file(const char *path, int *ret_fd, struct cu_diag *diag)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return cu_fail(diag, CU_E_IO, "cannot open %s: %s", path, strerror(errno));
    char text[24] = "";
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        ssize_t got = read(fd, text, sizeof text - 1);
        (void)close(fd);
        return cu_fail(diag, CU_E_CONFLICT, "already running with pid %.*s (%s is locked)",
                       got > 0 ? (int)got : 1, got > 0 ? text : "?", path);
    }
    (void)snprintf(text, sizeof text, "%ld", (long)getpid());
    if (ftruncate(fd, 0) || !cu_write_all(fd, cu_bytes_of(text))) {
        enum cu_err err = cu_fail(diag, CU_E_IO, "cannot write %s: %s", path, strerror(errno));
        (void)close(fd);
        return err;
    }
    *ret_fd = fd;
    return CU_OK;
}

enum cu_err cu_host_write_private(const char *path, const void *data, size_t len,
                                  struct cu_diag *diag)
{
    char aside[PATH_BYTES];
    if (snprintf(aside, sizeof aside, "%s.new", path) >= PATH_BYTES)
        return cu_fail(diag, CU_E_INVALID, "path over %d bytes", PATH_BYTES);
    (void)unlink(aside); /* a leftover may have another mode */
    int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = fd >= 0 && cu_write_all(fd, (struct cu_bytes){data, len}) && !fsync(fd);
    int why = errno;
    if (fd >= 0)
        (void)close(fd); /* synced, or given up */
    if (good && rename(aside, path)) {
        good = false;
        why = errno;
    }
    return good ? CU_OK : cu_fail(diag, CU_E_IO, "cannot write %s: %s", path, strerror(why));
}

/* Set once before threads are made; read by the handler, which may call nothing that allocates. */
static char crash_line[64];

static void crashed(int signal_number)
{
    ssize_t put = write(2, crash_line, strlen(crash_line));
    (void)put;
    (void)raise(signal_number); /* SA_RESETHAND: now it does what it always did */
}

void cu_host_prepare(const char *name)
{
    struct rlimit limit;
    if (!getrlimit(RLIMIT_NOFILE, &limit)) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* then the soft limit has to do */
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)snprintf(crash_line, sizeof crash_line, "%s: crashed (signal)\n", name);
#ifndef __SANITIZE_ADDRESS__ /* its own handler tells more */
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    struct sigaction action = {.sa_handler = crashed, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};
    for (size_t i = 0; i < CU_COUNT(fatal); i++)
        (void)sigaction(fatal[i], &action, NULL);
#else
    (void)crashed;
#endif
}

void cu_host_notify_ready(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (!path || !*path || strlen(path) >= sizeof to.sun_path)
        return;
    (void)snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (to.sun_path[0] == '@')
        to.sun_path[0] = '\0'; /* the abstract namespace, as systemd writes it */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    /* Whoever asked for the word has gone if this fails; Daemon.Status tells too. */
    (void)sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&to, len);
    (void)close(fd);
}
