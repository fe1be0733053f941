#include "services/agentd/io/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/map.h"

enum { SOCKETS_MAX = 16 };

static const char too_many[] =
    "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    "Your IP is issuing too many concurrent connections, please rate limit your calls\n";

struct agent_client {
    size_t connections;
    uint8_t ip[16];
    size_t ip_len; /* 0: a local socket */
};

struct bound {
    struct agent_listener *listener;
    int fd;
    struct cu_fd_watch watch;
    char *path; /* of a unix socket, removed at close */
};

struct agent_listener {
    struct cu_loop *loop;
    unsigned max_per_client;
    agent_accept *accept;
    void *arg;
    struct bound bound[SOCKETS_MAX];
    size_t bound_count;
    struct cu_map clients;
    uint64_t refused;
};

struct agent_listener *agent_listener_new(struct cu_loop *loop, unsigned max_per_client,
                                          agent_accept *accept, void *arg)
{
    struct agent_listener *l = cu_alloc(sizeof *l);
    *l = (struct agent_listener){
        .loop = loop, .max_per_client = max_per_client, .accept = accept, .arg = arg};
    return l;
}

void agent_listener_set_limit(struct agent_listener *l, unsigned max_per_client)
{
    l->max_per_client = max_per_client;
}

uint64_t agent_listener_refused(const struct agent_listener *l)
{
    return l->refused;
}

/* ---- clients ---- */

static size_t ip_of(const struct sockaddr_storage *address, uint8_t ip[16])
{
    if (address->ss_family == AF_INET) {
        memcpy(ip, &((const struct sockaddr_in *)address)->sin_addr, 4);
        return 4;
    }
    if (address->ss_family == AF_INET6) {
        memcpy(ip, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
        return 16;
    }
    return 0;
}

static struct agent_client *find_client(struct agent_listener *l,
                                        const struct sockaddr_storage *address)
{
    struct agent_client found = {0};
    found.ip_len = ip_of(address, found.ip);
    struct cu_bytes key = {found.ip, found.ip_len};
    struct agent_client *client = cu_map_get(&l->clients, key);
    if (!client) {
        client = cu_memdup(&found, sizeof found);
        (void)cu_map_put(&l->clients, key, client);
    }
    return client;
}

static void forget_if_unused(struct agent_listener *l, struct agent_client *client)
{
    if (client->connections > 0)
        return;
    (void)cu_map_del(&l->clients, (struct cu_bytes){client->ip, client->ip_len});
    free(client);
}

void agent_client_leave(struct agent_listener *l, struct agent_client *client)
{
    CU_ASSERT(client->connections > 0);
    client->connections--;
    forget_if_unused(l, client);
}

/* ---- accepting ---- */

static void refuse(struct agent_listener *l, int fd)
{
    l->refused++;
    /* One attempt: a client that does not read gets nothing, and everything is closed either way.
     */
    (void)send(fd, too_many, sizeof too_many - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(fd, SHUT_WR);
    (void)close(fd);
}

static void take(struct agent_listener *l, int fd, const struct sockaddr_storage *address,
                 socklen_t len)
{
    struct agent_client *client = find_client(l, address);
    if (l->max_per_client && client->ip_len && client->connections >= l->max_per_client) {
        refuse(l, fd);
        return;
    }
    client->connections++;
    if (!l->accept(l->arg, fd, (const struct sockaddr *)address, len, client))
        agent_client_leave(l, client);
}

static void ready(void *arg, unsigned what)
{
    struct bound *bound = arg;
    (void)what;
    for (int i = 0; i < AGENT_ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage address = {0};
        socklen_t len = sizeof address;
        int fd =
            accept4(bound->fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return; /* none left, or one that has gone again; the watch is level-triggered */
        take(bound->listener, fd, &address, len);
    }
}

/* ---- binding ---- */

static enum cu_err make_address(const char *text, unsigned port, struct sockaddr_storage *address,
                                socklen_t *ret_len, struct cu_diag *diag)
{
    static const char unix_scheme[] = "unix://";
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    struct sockaddr_un *local = (struct sockaddr_un *)address;

    *address = (struct sockaddr_storage){0};
    if (strncmp(text, unix_scheme, sizeof unix_scheme - 1) == 0) {
        const char *path = text + sizeof unix_scheme - 1;
        if (strlen(path) >= sizeof local->sun_path)
            return cu_fail(diag, CU_E_INVALID, "%s: a socket path has at most %zu bytes", path,
                           sizeof local->sun_path - 1);
        local->sun_family = AF_UNIX;
        memcpy(local->sun_path, path, strlen(path) + 1);
        *ret_len = sizeof *local;
        return CU_OK;
    }
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        *ret_len = sizeof *v4;
        return CU_OK;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        *ret_len = sizeof *v6;
        return CU_OK;
    }
    return cu_fail(diag, CU_E_INVALID, "%s: neither an IP address nor unix:///path", text);
}

/* A socket file whose owner is dead is in the way; one that answers stays. */
static void remove_stale(const struct sockaddr_un *local)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat st;
    if (fd >= 0 && stat(local->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
        connect(fd, (const struct sockaddr *)local, sizeof *local) != 0 && errno == ECONNREFUSED)
        (void)unlink(local->sun_path); /* bind says what is wrong if it is still there */
    if (fd >= 0)
        (void)close(fd);
}

static enum cu_err open_socket(const struct sockaddr_storage *address, socklen_t len,
                               const char *text, unsigned port, int *ret_fd, struct cu_diag *diag)
{
    int on = 1, fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (address->ss_family == AF_UNIX)
        remove_stale((const struct sockaddr_un *)address);
    int failed = fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
                 bind(fd, (const struct sockaddr *)address, len) || listen(fd, AGENT_BACKLOG);
    if (!failed) {
        *ret_fd = fd;
        return CU_OK;
    }
    int number = errno;
    if (fd >= 0)
        (void)close(fd);
    if (number == EADDRINUSE)
        return cu_fail(
            diag, CU_E_CONFLICT,
            "cannot listen for HTTP on %s port %u: address already in use; end who listens there, "
            "or set ports.http or client_addr",
            text, port);
    return cu_fail(diag, CU_E_IO, "cannot listen for HTTP on %s port %u: %s", text, port,
                   strerror(number));
}

enum cu_err agent_listener_bind(struct agent_listener *l, const char *address, unsigned port,
                                struct cu_diag *diag)
{
    struct sockaddr_storage storage;
    socklen_t len = 0;
    int fd = -1;

    if (l->bound_count == SOCKETS_MAX)
        return cu_fail(diag, CU_E_TOO_LARGE, "at most %d HTTP addresses", SOCKETS_MAX);
    enum cu_err err = make_address(address, port, &storage, &len, diag);
    if (!err)
        err = open_socket(&storage, len, address, port, &fd, diag);
    if (err)
        return err;
    struct bound *bound = &l->bound[l->bound_count++];
    *bound = (struct bound){.listener = l, .fd = fd};
    if (storage.ss_family == AF_UNIX)
        bound->path = cu_strdup(((struct sockaddr_un *)&storage)->sun_path);
    cu_fd_watch_init(&bound->watch, l->loop, fd, ready, bound);
    cu_fd_watch_set(&bound->watch, CU_FD_READ);
    return CU_OK;
}

void agent_listener_close(struct agent_listener *l)
{
    while (l->bound_count) {
        struct bound *bound = &l->bound[--l->bound_count];
        cu_fd_watch_close(&bound->watch);
        (void)close(bound->fd);
        if (bound->path)
            (void)unlink(bound->path); /* gone already is fine */
        free(bound->path);
    }
}

void agent_listener_free(struct agent_listener *l)
{
    if (!l)
        return;
    agent_listener_close(l);
    CU_ASSERT(l->clients.count == 0);
    cu_map_deinit(&l->clients);
    free(l);
}
