#include "common/bus/stream.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/base/num.h"

static bool is_ip(const char *text, size_t len)
{
    char ip[INET6_ADDRSTRLEN];
    unsigned char bytes[sizeof(struct in6_addr)];
    bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';
    if (brackets) {
        text++;
        len -= 2;
    }
    if (len >= sizeof ip)
        return false;
    memcpy(ip, text, len);
    ip[len] = '\0';
    return inet_pton(brackets ? AF_INET6 : AF_INET, ip, bytes) == 1;
}

/* Addresses only: a name would have nng's resolver threads decide where we connect. */
static bool is_ip_port(const char *text)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    return colon && is_ip(text, (size_t)(colon - text)) &&
           cu_parse_u64(colon + 1, strlen(colon + 1), &port) == CU_OK && port > 0 && port <= 65535;
}

enum cu_err cu_url_parse(const char *text, struct cu_url *ret_url, struct cu_diag *diag)
{
    static const char ipc[] = "ipc://", tcp[] = "tcp://";
    enum { SCHEME_LEN = sizeof ipc - 1 };
    bool is_ipc = strncmp(text, ipc, SCHEME_LEN) == 0;
    if (is_ipc && text[SCHEME_LEN] != '/')
        return cu_fail(diag, CU_E_INVALID, "%.200s: the path of a socket begins with /", text);
    if (is_ipc && strlen(text + SCHEME_LEN) > CU_IPC_PATH_MAX_BYTES)
        return cu_fail(diag, CU_E_INVALID,
                       "%.200s: the path of a socket may have at most %d bytes: use a shorter "
                       "run or data directory",
                       text + SCHEME_LEN, CU_IPC_PATH_MAX_BYTES);
    if (!is_ipc && (strncmp(text, tcp, SCHEME_LEN) != 0 || strlen(text) >= CU_URL_MAX_BYTES ||
                    !is_ip_port(text + SCHEME_LEN)))
        return cu_fail(diag, CU_E_INVALID, "%.200s: want ipc:///path or tcp://ip:port", text);
    *ret_url = (struct cu_url){.is_ipc = is_ipc};
    memcpy(ret_url->text, text, strlen(text) + 1);
    return CU_OK;
}
