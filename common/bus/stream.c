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

/* Letters, digits, `-`, `_` and dots, and a letter in it: what has none is an address gone wrong.
 */
static bool is_host_name(const char *text, size_t len)
{
    bool has_letter = false;
    for (size_t i = 0; i < len; i++) {
        bool is_letter = (text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z';
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (!is_letter && !is_digit && (i == 0 || !strchr("-_.", text[i])))
            return false;
        has_letter |= is_letter;
    }
    return has_letter;
}

static bool is_tcp(const char *text, bool *ret_is_named)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (!colon || cu_parse_u64(colon + 1, strlen(colon + 1), &port) || port == 0 || port > 65535)
        return false;
    *ret_is_named = is_host_name(text, (size_t)(colon - text));
    return *ret_is_named || is_ip(text, (size_t)(colon - text));
}

enum cu_err cu_url_parse(const char *text, struct cu_url *ret_url, struct cu_diag *diag)
{
    static const char ipc[] = "ipc://", tcp[] = "tcp://";
    enum { SCHEME_LEN = sizeof ipc - 1 };
    bool is_ipc = strncmp(text, ipc, SCHEME_LEN) == 0, is_named = false;
    if (is_ipc && text[SCHEME_LEN] != '/')
        return cu_fail(diag, CU_E_INVALID, "%.200s: the path of a socket begins with /", text);
    if (is_ipc && strlen(text + SCHEME_LEN) > CU_IPC_PATH_MAX_BYTES)
        return cu_fail(diag, CU_E_INVALID,
                       "%.200s: the path of a socket may have at most %d bytes: use a shorter "
                       "run or data directory",
                       text + SCHEME_LEN, CU_IPC_PATH_MAX_BYTES);
    if (!is_ipc && (strncmp(text, tcp, SCHEME_LEN) != 0 || strlen(text) >= CU_URL_MAX_BYTES ||
                    !is_tcp(text + SCHEME_LEN, &is_named)))
        return cu_fail(diag, CU_E_INVALID,
                       "%.200s: want ipc:///path, tcp://ip:port or tcp://name:port", text);
    *ret_url = (struct cu_url){.is_ipc = is_ipc, .is_named = is_named};
    memcpy(ret_url->text, text, strlen(text) + 1);
    return CU_OK;
}
