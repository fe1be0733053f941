/* message.h - every memberlist and serf message as a plain struct, decoded (gossip.md 7 and 15).
 *
 * Text and bytes are borrowed: from the packet or stream they were decoded from (or the arena they
 * were decompressed into), and when encoding from whoever fills the struct in. Integers are in host
 * order. A zeroed struct is a valid message; what was missing or nil on the wire reads as zero. */
#ifndef GOSSIP_MESSAGE_H
#define GOSSIP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* Sizes on the wire, with the sections of gossip.md that give them; each is tested at limit + 1. */
enum {
    GOSSIP_PACKET_BUDGET = 1400,            /* 3.4: what a packet we send may hold before its CRC */
    GOSSIP_PACKET_MAX_BYTES = 65536,        /* 1: one datagram as received */
    GOSSIP_PACKET_MAX_INFLATED = 64 * 1024, /* 5 allows 64 times that; nothing real passes 1400 */
    GOSSIP_PACKET_MAX_MESSAGES = 1024,      /* in all compounds of one packet */
    GOSSIP_PACKET_MAX_DEPTH = 4,            /* 25: compound, compress and CRC inside each other */
    GOSSIP_COMPOUND_MAX_PARTS = 127,        /* 3.2, trap 1: parts we send; 255 are accepted */
    GOSSIP_COMPOUND_HEADER_BYTES = 2,       /* 3.2: type and count */
    GOSSIP_COMPOUND_PART_BYTES = 2,         /* 3.2: a part's length, big-endian */
    GOSSIP_CRC_BYTES = 5,                   /* 3.3: type and CRC-32 */
    GOSSIP_CRC_PMAX = 5,                    /* 3.3: a member whose PMax is less gets no CRC */
    GOSSIP_NACK_PMAX = 4,                   /* 9: a relay whose PMax is less is asked for no nack */
    GOSSIP_TCP_PING_PMAX = 3,               /* 9: a target whose PMax is less gets no TCP ping */
    GOSSIP_STREAM_MAX_BYTES = 20 * 1024 * 1024,    /* 25: push/pull or user message on a stream */
    GOSSIP_STREAM_MAX_INFLATED = 40 * 1024 * 1024, /* 25: the same, decompressed */
    GOSSIP_STREAMS_MAX_SERVED = 128,               /* 4: the 128th and beyond are closed */
    GOSSIP_NODES_MAX = 65536,    /* members one exchange may bring (12 allows 1048576) */
    GOSSIP_NAMES_MAX = 131072,   /* entries of StatusLTimes and of LeftMembers in one exchange */
    GOSSIP_META_MAX_BYTES = 512, /* 7 */
    GOSSIP_NAME_MAX_BYTES = 255, /* of a member as received; 25 refuses over 128 when validating */
    GOSSIP_NAME_VALID_BYTES = 128,   /* 22: of our own name */
    GOSSIP_TAGS_MAX = 256,           /* 512 bytes of meta cannot hold more */
    GOSSIP_EVENT_SLOTS = 512,        /* 15: EventBuffer */
    GOSSIP_SERF_DIRECT_BYTES = 1024, /* 14: a query and its response */
};

/* First byte of a packet, of a part of a compound, or of a stream (gossip.md 3.1). */
enum gossip_type {
    GOSSIP_PING = 0,
    GOSSIP_INDIRECT_PING = 1,
    GOSSIP_ACK = 2,
    GOSSIP_SUSPECT = 3,
    GOSSIP_ALIVE = 4,
    GOSSIP_DEAD = 5,
    GOSSIP_PUSH_PULL = 6, /* streams only */
    GOSSIP_COMPOUND = 7,  /* framing: never in a decoded message */
    GOSSIP_USER = 8,
    GOSSIP_COMPRESS = 9, /* framing */
    GOSSIP_ENCRYPT = 10, /* framing */
    GOSSIP_NACK = 11,
    GOSSIP_HAS_CRC = 12, /* framing */
    GOSSIP_ERR = 13,     /* streams only */
    GOSSIP_TYPE_COUNT
};

/* An address without its port. len 0: none (nil on the wire). An IPv4-mapped IPv6 address is read
 * as IPv4, so that both forms compare equal (gossip.md 7). */
struct gossip_ip {
    uint8_t len; /* 0, 4 or 16 */
    uint8_t bytes[16];
};

struct gossip_addr {
    struct gossip_ip ip;
    uint16_t port; /* 0: "the same as mine" (gossip.md 7) */
};

/* The version vector Vsn = pmin, pmax, pcur, dmin, dmax, dcur. Shorter than six bytes on the wire:
 * not known (gossip.md 25). */
struct gossip_versions {
    bool known;
    uint8_t pmin, pmax, pcur, dmin, dmax, dcur;
};

/* What stands for "this node" in what we send: memberlist 1 to 5, speaking 2; serf 2 to 5. */
#define GOSSIP_VERSIONS_SERF   ((struct gossip_versions){true, 1, 5, 2, 2, 5, 5})
#define GOSSIP_VERSIONS_CONSUL ((struct gossip_versions){true, 1, 5, 2, 2, 5, 4})

/* Where who sent a ping wants the answer; ip.len 0 or port 0: to the datagram's source. */
struct gossip_source {
    struct gossip_addr addr;
    struct cu_bytes node;
};

struct gossip_ping {
    struct cu_bytes node; /* empty: whoever listens */
    uint32_t seq;
    struct gossip_source source;
};

struct gossip_indirect_ping {
    struct cu_bytes node;
    struct gossip_addr target;
    uint32_t seq;
    bool wants_nack;
    struct gossip_source source;
};

struct gossip_ack {
    uint32_t seq;
    struct cu_bytes payload; /* a coordinate (gossip.md 24.5); data NULL: nil */
};

struct gossip_nack {
    uint32_t seq;
};

/* suspect and dead. A dead whose from is the node itself is a leave. */
struct gossip_accusation {
    struct cu_bytes node;
    uint32_t incarnation;
    struct cu_bytes from;
};

struct gossip_alive {
    struct cu_bytes node;
    struct gossip_addr addr;
    uint32_t incarnation;
    struct cu_bytes meta;
    struct gossip_versions versions;
};

/* As numbered on the wire (gossip.md 7). */
enum gossip_state {
    GOSSIP_STATE_ALIVE,
    GOSSIP_STATE_SUSPECT,
    GOSSIP_STATE_DEAD,
    GOSSIP_STATE_LEFT
};

struct gossip_node_state {
    struct gossip_alive alive; /* node is the field called Name here */
    enum gossip_state state;   /* a number outside the list is read as dead: no more is believed
                                  than a suspicion (gossip.md 8.5) */
};

struct gossip_push_pull {
    bool is_join;
    uint32_t node_count;
    struct gossip_node_state *nodes; /* arena */
    struct cu_bytes user_state;      /* a serf message, gossip_serf_decode() reads it */
};

struct gossip_user {
    struct cu_bytes body; /* a serf message, gossip_serf_decode() reads it */
};

struct gossip_remote_error {
    struct cu_bytes text;
};

struct gossip_message {
    enum gossip_type type; /* picks the member; none of the framing types */
    union {
        struct gossip_ping ping;
        struct gossip_indirect_ping indirect_ping;
        struct gossip_ack ack;
        struct gossip_nack nack;
        struct gossip_accusation suspect;
        struct gossip_accusation dead;
        struct gossip_alive alive;
        struct gossip_push_pull push_pull;
        struct gossip_user user;
        struct gossip_remote_error err;
    };
};

/* First byte of a user message or of a push/pull's user state (gossip.md 15). */
enum gossip_serf_type {
    GOSSIP_SERF_LEAVE = 0,
    GOSSIP_SERF_JOIN = 1,
    GOSSIP_SERF_PUSH_PULL = 2,
    GOSSIP_SERF_USER_EVENT = 3,
    GOSSIP_SERF_QUERY = 4,
    GOSSIP_SERF_QUERY_RESPONSE = 5,
    GOSSIP_SERF_CONFLICT_RESPONSE = 6,
    GOSSIP_SERF_KEY_REQUEST = 7,
    GOSSIP_SERF_KEY_RESPONSE = 8,
    GOSSIP_SERF_RELAY = 9,
    GOSSIP_SERF_TYPE_COUNT
};

/* join and leave intents. */
struct gossip_intent {
    uint64_t ltime;
    struct cu_bytes node;
    bool prune; /* leave only; older peers omit it */
};

struct gossip_status_ltime {
    struct cu_bytes node;
    uint64_t ltime;
};

struct gossip_serf_state {
    uint64_t ltime, event_ltime, query_ltime; /* the clocks */
    uint32_t left_count;
    struct cu_bytes *left; /* arena; names */
    uint32_t status_count;
    struct gossip_status_ltime *status; /* arena; encoded sorted by name */
    struct cu_bytes events; /* the msgpack of the event slots, checked for shape; data NULL when
                               encoding: GOSSIP_EVENT_SLOTS empty ones */
};

/* User events, queries, keys and relays are named and kept whole: what they hold is read by who
 * needs it. They are passed on by their bytes alone. */
struct gossip_serf {
    enum gossip_serf_type type;
    struct cu_bytes whole; /* with the type byte, as received; not used when encoding */
    union {
        struct gossip_intent intent;    /* LEAVE, JOIN */
        struct gossip_serf_state state; /* PUSH_PULL */
        struct cu_bytes body;           /* all others: the bytes after the type */
    };
};

/* Tags (gossip.md 22): meta is ff and a msgpack map, or without the ff the value of `role`. */
struct gossip_tag {
    struct cu_bytes name, value;
};

struct gossip_tags {
    uint32_t count;
    struct gossip_tag tag[GOSSIP_TAGS_MAX];
};

/* Whether a member may be called so: not empty, at most GOSSIP_NAME_MAX_BYTES, no control
 * characters, so that it is one line and one string wherever it is written. */
bool gossip_name_is_fit(struct cu_bytes name);
bool gossip_ip_equal(struct gossip_ip a, struct gossip_ip b);
bool gossip_addr_equal(struct gossip_addr a, struct gossip_addr b);
/* 4 or 16 bytes, mapped ones as IPv4; any other length gives len 0. */
struct gossip_ip gossip_ip_of(struct cu_bytes bytes);
bool gossip_versions_equal(struct gossip_versions a, struct gossip_versions b);

#endif
