#include "services/dnsd/core/name.h"

#include <string.h>

enum { POINTER = 0xc0 };

/* Appends one label read from `r`; false: malformed. The root ends the name. */
static bool read_label(struct cu_reader *r, size_t len, struct dns_name *name)
{
    struct cu_bytes label = cu_read_bytes(r, len);
    if (r->failed || name->len + 1 + len + (len > 0) > DNS_NAME_BYTES)
        return false; /* a label that is not the last leaves room for the root */
    name->bytes[name->len++] = (uint8_t)len;
    if (len)
        memcpy(name->bytes + name->len, label.data, len);
    name->len = (uint8_t)(name->len + len);
    return true;
}

/* Moves `r` to where the pointer leads: always to an earlier place, so that it ends. */
static bool jump(struct cu_reader *r, size_t to, struct cu_bytes message, size_t *before)
{
    if (r->failed || to >= *before)
        return false;
    *before = to;
    r->at = message.data + to;
    return true;
}

bool dns_name_read(struct cu_reader *r, struct cu_bytes message, bool may_point,
                   struct dns_name *ret_name)
{
    struct cu_reader at = *r;
    struct dns_name name = {0};
    bool good = !r->failed;
    const uint8_t *behind = NULL; /* the first pointer */
    size_t before = good ? (size_t)(at.at - message.data) : 0;
    for (uint8_t first = 1; good && first;) {
        first = cu_read_u8(&at);
        if ((first & POINTER) == POINTER && may_point) {
            size_t to = (size_t)(first & ~POINTER) << 8 | cu_read_u8(&at);
            behind = behind ? behind : at.at;
            good = jump(&at, to, message, &before);
        } else {
            good = !at.failed && first <= DNS_LABEL_BYTES && read_label(&at, first, &name);
        }
    }
    if (!good) {
        r->failed = true;
        return false;
    }
    r->at = behind ? behind : at.at;
    *ret_name = name;
    return true;
}

enum cu_err dns_name_of_text(struct cu_bytes text, struct dns_name *ret_name)
{
    struct dns_name name = {0};
    size_t at = 0;
    if (text.len && text.data[text.len - 1] == '.')
        text.len--;
    while (at < text.len) {
        const uint8_t *dot = memchr(text.data + at, '.', text.len - at);
        size_t len = dot ? (size_t)(dot - text.data) - at : text.len - at;
        if (len == 0 || len > DNS_LABEL_BYTES || name.len + len + 2 > DNS_NAME_BYTES)
            return CU_E_INVALID;
        name.bytes[name.len++] = (uint8_t)len;
        memcpy(name.bytes + name.len, text.data + at, len);
        name.len = (uint8_t)(name.len + len);
        at += len + 1;
        if (dot && at == text.len)
            return CU_E_INVALID; /* "a.." */
    }
    name.bytes[name.len++] = 0;
    *ret_name = name;
    return CU_OK;
}

enum cu_err dns_name_append(struct dns_name *name, const struct dns_name *end)
{
    size_t len = name->len ? name->len - 1u : 0;
    if (len + end->len > DNS_NAME_BYTES)
        return CU_E_INVALID;
    memcpy(name->bytes + len, end->bytes, end->len);
    name->len = (uint8_t)(len + end->len);
    return CU_OK;
}

void dns_name_lower(struct dns_name *name)
{
    /* Lengths are below 64 and so no letters: no need to go label by label. */
    for (size_t i = 0; i < name->len; i++)
        if (name->bytes[i] >= 'A' && name->bytes[i] <= 'Z')
            name->bytes[i] = (uint8_t)(name->bytes[i] + 'a' - 'A');
}

int dns_name_find_end(const struct dns_name *name, const struct dns_name *end)
{
    if (name->len < end->len)
        return -1;
    size_t start = name->len - end->len, at = 0;
    if (memcmp(name->bytes + start, end->bytes, end->len) != 0)
        return -1;
    while (at < start)
        at += name->bytes[at] + 1u;
    return at == start ? (int)start : -1; /* else it begins within a label */
}

struct cu_bytes dns_name_bytes(const struct dns_name *name)
{
    return (struct cu_bytes){name->bytes, name->len};
}

size_t dns_name_labels(const struct dns_name *name, size_t len, struct cu_bytes labels[DNS_LABELS])
{
    size_t count = 0;
    for (size_t at = 0; at < len && name->bytes[at]; at += name->bytes[at] + 1u)
        labels[count++] = (struct cu_bytes){name->bytes + at + 1, name->bytes[at]};
    return count;
}
