#include "tests/unit/services/dnsd/core/message.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/err.h"

static const struct {
    const char *word;
    unsigned type;
} types[] = {{"A", DNS_A},     {"NS", DNS_NS},     {"CNAME", DNS_CNAME}, {"SOA", DNS_SOA},
             {"PTR", DNS_PTR}, {"MX", 15},         {"TXT", DNS_TXT},     {"AAAA", DNS_AAAA},
             {"SRV", DNS_SRV}, {"AXFR", DNS_AXFR}, {"ANY", DNS_ANY}};

unsigned message_type(const char *word)
{
    for (size_t i = 0; i < CU_COUNT(types); i++)
        if (!strcmp(types[i].word, word))
            return types[i].type;
    CU_ASSERT(!"a type that tests know");
    return 0;
}

static const char *type_word(unsigned type)
{
    for (size_t i = 0; i < CU_COUNT(types); i++)
        if (types[i].type == type)
            return types[i].word;
    return "?";
}

struct dns_name message_name(const char *text)
{
    struct dns_name name;
    CU_ASSERT(!dns_name_of_text(cu_bytes_of(text), &name));
    return name;
}

/* ---- asking ---- */

static void u16(struct cu_buf *out, unsigned v)
{
    cu_buf_u8(out, (uint8_t)(v >> 8));
    cu_buf_u8(out, (uint8_t)v);
}

static void put_opt(struct cu_buf *out, const char *options)
{
    const char *size = strstr(options, "+bufsize="), *subnet = strstr(options, "+subnet=");
    char ip[32] = "";
    unsigned bits = 0;
    if (subnet)
        CU_ASSERT(sscanf(subnet, "+subnet=%31[^/]/%u", ip, &bits) == 2);
    unsigned bytes = (bits + 7) / 8;
    cu_buf_u8(out, 0);
    u16(out, DNS_OPT);
    u16(out, size ? (unsigned)strtoul(size + strlen("+bufsize="), NULL, 10) : 1232);
    u16(out, 0);
    u16(out, 0);
    u16(out, subnet ? 8 + bytes : 0);
    if (!subnet)
        return;
    uint8_t address[16];
    CU_ASSERT(inet_pton(AF_INET, ip, address) == 1);
    u16(out, DNS_OPTION_SUBNET);
    u16(out, 4 + bytes);
    u16(out, 1);
    u16(out, bits << 8);
    cu_buf_append(out, address, bytes);
}

void message_ask(struct cu_buf *out, const char *question, const char *options)
{
    char name[1100], type[16];
    bool has_opt = strstr(options, "+bufsize") || strstr(options, "+subnet");
    unsigned op = strstr(options, "+opcode=notify") ? DNS_OP_NOTIFY : DNS_OP_QUERY;
    CU_ASSERT(sscanf(question, "%1099s %15s", name, type) == 2);
    u16(out, MESSAGE_ID);
    u16(out, op << DNS_OPCODE_SHIFT | DNS_RD);
    u16(out, 1);
    u16(out, 0);
    u16(out, 0);
    u16(out, has_opt);
    struct dns_name wire = message_name(name);
    cu_buf_append(out, wire.bytes, wire.len);
    u16(out, message_type(type));
    u16(out, DNS_IN);
    if (has_opt)
        put_opt(out, options);
}

/* ---- reading ---- */

static size_t print_name(const struct dns_name *name, char *to)
{
    size_t len = 0;
    for (size_t at = 0; name->bytes[at]; at += name->bytes[at] + 1u) {
        memcpy(to + len, name->bytes + at + 1, name->bytes[at]);
        len += name->bytes[at];
        to[len++] = '.';
    }
    if (!len)
        to[len++] = '.';
    to[len] = '\0';
    return len;
}

static bool read_name(struct cu_reader *r, struct cu_bytes whole, char *to)
{
    struct dns_name name;
    if (!dns_name_read(r, whole, true, &name))
        return false;
    (void)print_name(&name, to);
    return true;
}

static bool print_texts(struct cu_bytes data, char *to, size_t size)
{
    struct cu_reader r = cu_reader_of(data);
    size_t len = 0;
    while (cu_reader_left(&r) && !r.failed) {
        struct cu_bytes text = cu_read_bytes(&r, cu_read_u8(&r));
        len += (size_t)snprintf(to + len, size - len, "%s\"%.*s\"", len ? " " : "", (int)text.len,
                                (const char *)text.data);
    }
    return !r.failed;
}

static bool print_data(unsigned type, struct cu_bytes data, struct cu_bytes whole, char *to,
                       size_t size)
{
    struct cu_reader r = {data.data, data.data + data.len, false};
    char name[1100], other[1100];
    switch (type) {
    case DNS_A:
        return data.len == 4 && inet_ntop(AF_INET, data.data, to, (socklen_t)size);
    case DNS_AAAA:
        return data.len == 16 && inet_ntop(AF_INET6, data.data, to, (socklen_t)size);
    case DNS_TXT:
        return print_texts(data, to, size);
    case DNS_SRV: {
        unsigned priority = cu_read_u16be(&r), weight = cu_read_u16be(&r), port = cu_read_u16be(&r);
        if (!read_name(&r, whole, name))
            return false;
        (void)snprintf(to, size, "%u %u %u %s", priority, weight, port, name);
        break;
    }
    case DNS_SOA: {
        unsigned n[5];
        if (!read_name(&r, whole, name) || !read_name(&r, whole, other))
            return false;
        for (int i = 0; i < 5; i++)
            n[i] = cu_read_u32be(&r);
        (void)snprintf(to, size, "%s %s %u %u %u %u %u", name, other, n[0], n[1], n[2], n[3], n[4]);
        break;
    }
    default:
        if (!read_name(&r, whole, name))
            return false;
        (void)snprintf(to, size, "%s", name);
    }
    return !r.failed && cu_reader_left(&r) == 0;
}

static bool read_opt(unsigned class, struct cu_bytes data, struct message *ret)
{
    struct cu_reader r = cu_reader_of(data);
    ret->has_opt = true;
    ret->opt_bytes = class;
    if (data.len == 0)
        return true;
    uint8_t address[16] = {0};
    char ip[64];
    bool good = cu_read_u16be(&r) == DNS_OPTION_SUBNET;
    good = good && cu_read_u16be(&r) == cu_reader_left(&r);
    unsigned family = cu_read_u16be(&r), bits = cu_read_u8(&r);
    ret->scope_bits = cu_read_u8(&r);
    struct cu_bytes rest = cu_read_bytes(&r, cu_reader_left(&r));
    if (!good || r.failed || rest.len > sizeof address)
        return false;
    memcpy(address, rest.data, rest.len);
    (void)inet_ntop(family == 1 ? AF_INET : AF_INET6, address, ip, sizeof ip);
    (void)snprintf(ret->subnet, sizeof ret->subnet, "%s/%u", ip, bits);
    return true;
}

static bool read_record(struct cu_reader *r, struct cu_bytes whole, char *line, size_t size,
                        struct message *ret)
{
    char owner[1100], data_text[8192];
    *line = '\0';
    if (!read_name(r, whole, owner))
        return false;
    unsigned type = cu_read_u16be(r), class = cu_read_u16be(r);
    uint32_t ttl_s = cu_read_u32be(r);
    struct cu_bytes data = cu_read_bytes(r, cu_read_u16be(r));
    if (r->failed)
        return false;
    if (type == DNS_OPT)
        return !strcmp(owner, ".") && read_opt(class, data, ret);
    if (class != DNS_IN || !print_data(type, data, whole, data_text, sizeof data_text))
        return false;
    (void)snprintf(line, size, "%s %u IN %s %s\n", owner, ttl_s, type_word(type), data_text);
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool read_section(struct cu_reader *r, struct cu_bytes whole, unsigned count, char *to,
                         struct message *ret)
{
    static char *lines[DNS_MESSAGE_BYTES / 16];
    static char line[12 * 1024];
    size_t used = 0, len = 0;
    bool good = true;
    for (unsigned i = 0; good && i < count; i++) {
        good = read_record(r, whole, line, sizeof line, ret);
        if (good && *line)
            lines[used++] = cu_strdup(line);
    }
    qsort(lines, used, sizeof *lines, by_text);
    for (size_t i = 0; i < used; i++) {
        size_t more = strlen(lines[i]);
        if (len + more < MESSAGE_TEXT_BYTES) {
            memcpy(to + len, lines[i], more);
            len += more;
        }
        free(lines[i]);
    }
    to[len] = '\0';
    return good;
}

static void print_flags(unsigned flags, char *to, size_t size)
{
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = {{DNS_QR, "qr"}, {DNS_AA, "aa"}, {DNS_TC, "tc"}, {DNS_RD, "rd"}, {DNS_RA, "ra"}};
    size_t len = 0;
    *to = '\0';
    for (size_t i = 0; i < CU_COUNT(words); i++)
        if (flags & words[i].bit)
            len += (size_t)snprintf(to + len, size - len, "%s%s", len ? " " : "", words[i].word);
}

bool message_read(struct cu_bytes bytes, struct message *ret)
{
    struct cu_reader r = cu_reader_of(bytes);
    char name[1100];
    *ret = (struct message){.id = cu_read_u16be(&r)};
    unsigned flags = cu_read_u16be(&r);
    ret->rcode = flags & DNS_RCODE_MASK;
    print_flags(flags, ret->flags, sizeof ret->flags);
    for (int i = 0; i < DNS_SECTION_COUNT; i++)
        ret->counts[i] = cu_read_u16be(&r);
    bool good = !r.failed;
    for (unsigned i = 0; good && i < ret->counts[DNS_QUESTION]; i++) {
        good = read_name(&r, bytes, name);
        unsigned type = cu_read_u16be(&r);
        (void)snprintf(ret->sections[DNS_QUESTION], MESSAGE_TEXT_BYTES, "%s %s\n", name,
                       type_word(type));
        (void)cu_read_u16be(&r);
    }
    for (int i = DNS_ANSWER; good && i < DNS_SECTION_COUNT; i++)
        good = read_section(&r, bytes, ret->counts[i], ret->sections[i], ret);
    return good && !r.failed && cu_reader_left(&r) == 0;
}
