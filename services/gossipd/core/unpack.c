#include "services/gossipd/core/unpack.h"

#include <string.h>

/* What the first byte of a value says. */
enum kind { NIL, FALSE_, TRUE_, UINT, INT, FLOAT, RAW, EXT, LIST, MAP, RESERVED };

struct head {
    enum kind kind;
    uint64_t value; /* UINT, and INT in two's complement; of no meaning for FLOAT; bytes of RAW and
                       EXT (its type byte counted); how many of LIST and MAP */
};

/* Forms c0 to df: what it is, how many bytes of number follow, what a number not there counts. */
static const struct form {
    enum kind kind;
    uint8_t number_bytes;
    uint8_t fixed;
} forms[32] = {
    [0x00] = {NIL, 0, 0},   [0x01] = {RESERVED, 0, 0}, [0x02] = {FALSE_, 0, 0},
    [0x03] = {TRUE_, 0, 0}, [0x04] = {RAW, 1, 0},      [0x05] = {RAW, 2, 0},
    [0x06] = {RAW, 4, 0},   [0x07] = {EXT, 1, 0},      [0x08] = {EXT, 2, 0},
    [0x09] = {EXT, 4, 0},   [0x0a] = {FLOAT, 4, 0},    [0x0b] = {FLOAT, 8, 0},
    [0x0c] = {UINT, 1, 0},  [0x0d] = {UINT, 2, 0},     [0x0e] = {UINT, 4, 0},
    [0x0f] = {UINT, 8, 0},  [0x10] = {INT, 1, 0},      [0x11] = {INT, 2, 0},
    [0x12] = {INT, 4, 0},   [0x13] = {INT, 8, 0},      [0x14] = {EXT, 0, 1},
    [0x15] = {EXT, 0, 2},   [0x16] = {EXT, 0, 4},      [0x17] = {EXT, 0, 8},
    [0x18] = {EXT, 0, 16},  [0x19] = {RAW, 1, 0},      [0x1a] = {RAW, 2, 0},
    [0x1b] = {RAW, 4, 0},   [0x1c] = {LIST, 2, 0},     [0x1d] = {LIST, 4, 0},
    [0x1e] = {MAP, 2, 0},   [0x1f] = {MAP, 4, 0},
};

struct gossip_unpack gossip_unpack_of(struct cu_bytes bytes)
{
    const uint8_t *end = bytes.data ? bytes.data + bytes.len : NULL;
    return (struct gossip_unpack){.at = bytes.data, .end = end};
}

size_t gossip_unpack_left(const struct gossip_unpack *in)
{
    return (size_t)(in->end - in->at);
}

static void fail(struct gossip_unpack *in, enum gossip_unpack_state state)
{
    if (in->state == GOSSIP_UNPACK_FINE)
        in->state = state;
    in->at = in->end;
}

static uint64_t number(struct gossip_unpack *in, size_t bytes)
{
    uint64_t value = 0;
    if (gossip_unpack_left(in) < bytes) {
        fail(in, GOSSIP_UNPACK_SHORT);
        return 0;
    }
    while (bytes-- > 0)
        value = value << 8 | *in->at++;
    return value;
}

static uint64_t sign_extended(uint64_t value, unsigned bytes)
{
    uint64_t sign = 1ull << (bytes * 8 - 1);
    return bytes == 8 ? value : (value ^ sign) - sign;
}

static struct head head_of_form(struct gossip_unpack *in, const struct form *form)
{
    struct head head = {.kind = form->kind, .value = form->fixed};
    if (form->number_bytes)
        head.value = number(in, form->number_bytes);
    if (form->kind == INT)
        head.value = sign_extended(head.value, form->number_bytes);
    if (form->kind == EXT)
        head.value++;
    return head;
}

static struct head next_head(struct gossip_unpack *in)
{
    uint8_t first = (uint8_t)number(in, 1);
    if (in->state)
        return (struct head){.kind = NIL};
    if (first < 0x80)
        return (struct head){.kind = UINT, .value = first};
    if (first < 0x90)
        return (struct head){.kind = MAP, .value = first & 0x0f};
    if (first < 0xa0)
        return (struct head){.kind = LIST, .value = first & 0x0f};
    if (first < 0xc0)
        return (struct head){.kind = RAW, .value = first & 0x1f};
    if (first >= 0xe0)
        return (struct head){.kind = INT, .value = sign_extended(first, 1)};
    return head_of_form(in, &forms[first - 0xc0]);
}

/* The next head, which must be of `kind` or nil. False: nil, or it has failed. */
static bool expect(struct gossip_unpack *in, enum kind kind, struct head *ret_head)
{
    struct head head = next_head(in);
    if (in->state || head.kind == NIL)
        return false;
    if (head.kind != kind) {
        fail(in, GOSSIP_UNPACK_BAD);
        return false;
    }
    *ret_head = head;
    return true;
}

uint32_t gossip_unpack_list(struct gossip_unpack *in)
{
    struct head head;
    return expect(in, LIST, &head) ? (uint32_t)head.value : 0;
}

uint32_t gossip_unpack_map(struct gossip_unpack *in)
{
    struct head head;
    return expect(in, MAP, &head) ? (uint32_t)head.value : 0;
}

/* The next integer; a negative one only as INT. False: nil, or it has failed. */
static bool expect_integer(struct gossip_unpack *in, struct head *ret_head)
{
    struct head head = next_head(in);
    if (in->state || head.kind == NIL)
        return false;
    if (head.kind == INT && head.value <= INT64_MAX)
        head.kind = UINT;
    if (head.kind != UINT && head.kind != INT) {
        fail(in, GOSSIP_UNPACK_BAD);
        return false;
    }
    *ret_head = head;
    return true;
}

uint64_t gossip_unpack_uint(struct gossip_unpack *in, uint64_t max)
{
    struct head head;
    if (!expect_integer(in, &head))
        return 0;
    if (head.kind == INT || head.value > max) {
        fail(in, GOSSIP_UNPACK_BAD);
        return 0;
    }
    return head.value;
}

int64_t gossip_unpack_int(struct gossip_unpack *in)
{
    struct head head;
    if (!expect_integer(in, &head))
        return 0;
    if (head.kind == UINT && head.value > INT64_MAX) {
        fail(in, GOSSIP_UNPACK_BAD);
        return 0;
    }
    return (int64_t)head.value;
}

bool gossip_unpack_bool(struct gossip_unpack *in)
{
    struct head head = next_head(in);
    if (!in->state && head.kind != TRUE_ && head.kind != FALSE_ && head.kind != NIL)
        fail(in, GOSSIP_UNPACK_BAD);
    return !in->state && head.kind == TRUE_;
}

static struct cu_bytes take(struct gossip_unpack *in, uint64_t len)
{
    struct cu_bytes bytes = {in->at, (size_t)len};
    if (gossip_unpack_left(in) < len) {
        fail(in, GOSSIP_UNPACK_SHORT);
        return (struct cu_bytes){0};
    }
    in->at += len;
    return bytes;
}

struct cu_bytes gossip_unpack_raw(struct gossip_unpack *in)
{
    struct head head;
    return expect(in, RAW, &head) ? take(in, head.value) : (struct cu_bytes){0};
}

/* One token: a scalar, the bytes of a raw, or the head of a list or map. How many values it makes
 * pending beside its own place. */
static uint64_t pass_token(struct gossip_unpack *in)
{
    struct head head = next_head(in);
    if (head.kind == RESERVED)
        fail(in, GOSSIP_UNPACK_BAD);
    if (head.kind == RAW || head.kind == EXT)
        (void)take(in, head.value); /* a failure is in `in` */
    if (head.kind == LIST)
        return head.value;
    return head.kind == MAP ? 2 * head.value : 0;
}

bool gossip_unpack_pass(struct gossip_unpack *in, uint64_t *pending)
{
    while (*pending > 0) { /* cannot wrap: five bytes add at most 2^33 */
        struct gossip_unpack before = *in;
        uint64_t more = pass_token(in);
        if (in->state == GOSSIP_UNPACK_SHORT)
            *in = before;
        if (in->state || in->at == before.at)
            return false;
        *pending += more - 1;
    }
    return true;
}

void gossip_unpack_skip(struct gossip_unpack *in)
{
    uint64_t pending = 1;
    if (!in->state && !gossip_unpack_pass(in, &pending))
        fail(in, GOSSIP_UNPACK_SHORT); /* unless it is BAD already */
}

struct cu_bytes gossip_unpack_whole(struct gossip_unpack *in)
{
    const uint8_t *start = in->at;
    gossip_unpack_skip(in);
    if (in->state)
        return (struct cu_bytes){0};
    return (struct cu_bytes){start, (size_t)(in->at - start)};
}
