#include "services/dnsd/io/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

static enum cu_err parse(const char *ip, unsigned port, struct sockaddr_storage *address,
                         socklen_t *ret_len, bool *ret_is_wildcard, struct cu_diag *diag)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
    *address = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, ip, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        *ret_len = sizeof *v4;
        *ret_is_wildcard = v4->sin_addr.s_addr == INADDR_ANY;
        return CU_OK;
    }
    if (inet_pton(AF_INET6, ip, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        *ret_len = sizeof *v6;
        *ret_is_wildcard = IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr);
        return CU_OK;
    }
    return cu_fail(diag, CU_E_INVALID, "addresses.dns: not an IP address: \"%.100s\"", ip);
}

static int bind_to(const struct sockaddr_storage *address, socklen_t len, int type)
{
    int on = 1, fd = socket(address->ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool failed = fd < 0;
    if (!failed && type == SOCK_STREAM)
        failed = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0;
    if (!failed && address->ss_family == AF_INET6)
        failed = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0;
    if (!failed)
        failed = bind(fd, (const struct sockaddr *)address, len) != 0;
    if (!failed)
        return fd;
    int number = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = number;
    return -1;
}

enum cu_err dns_bind(const char *ip, unsigned port, int type, int *ret_fd, bool *ret_is_wildcard,
                     struct cu_diag *diag)
{
    struct sockaddr_storage address;
    socklen_t len = 0;
    enum cu_err err = parse(ip, port, &address, &len, ret_is_wildcard, diag);
    if (err)
        return err;
    int fd = bind_to(&address, len, type);
    if (fd >= 0) {
        *ret_fd = fd;
        return CU_OK;
    }
    if (errno == EADDRINUSE)
        return cu_fail(diag, CU_E_CONFLICT,
                       "cannot listen for DNS on %s port %u: address already in use; end who "
                       "listens there, or set ports.dns or addresses.dns",
                       ip, port);
    return cu_fail(diag, CU_E_IO, "cannot listen for DNS on %s port %u: %s", ip, port,
                   strerror(errno));
}
