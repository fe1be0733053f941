/* key.h - the one table of configuration keys: what each is, whose it is, and how far it is built.
 */
#ifndef CU_CONF_KEY_H
#define CU_CONF_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cu_key_type {
    CU_KEY_BOOL,
    CU_KEY_INT,
    CU_KEY_FLOAT,
    CU_KEY_TEXT,
    CU_KEY_MS, /* "10s"; kept as text, bounds in ms */
    CU_KEY_TEXTS,
    CU_KEY_MAP, /* string to string */
    CU_KEY_OBJECT,
    CU_KEY_OBJECTS
};

enum cu_key_state {
    CU_KEY_BUILT,
    CU_KEY_LATER,   /* known; another value than the default is warned about */
    CU_KEY_REFUSED, /* known; another value than the default would promise safety that is not there
                     */
    CU_KEY_IGNORED, /* accepted, without effect by decision */
    CU_KEY_OBSOLETE /* accepted with a warning that it should go */
};

/* Whose key it is: a bit a daemon. */
enum {
    CU_OWNER_RAFTD = 1,
    CU_OWNER_CATALOGD = 2,
    CU_OWNER_AGENTD = 4,
    CU_OWNER_GOSSIPD = 8,
    CU_OWNER_DNSD = 16,
    CU_OWNER_XDSD = 32,
    CU_OWNER_CURIA = 64 /* `curia agent` */
};

struct cu_key {
    const char *path; /* "ports.http"; a dot before a digit is part of a name */
    enum cu_key_type type;
    unsigned owners;
    const char *fallback; /* the default as text, NULL: none */
    int64_t min, max;     /* of INT and MS */
    bool is_live;         /* a reload takes it up */
    enum cu_key_state state;
};

extern const struct cu_key cu_keys[];
extern const size_t cu_key_count;

/* By exact path; NULL: in no row. */
const struct cu_key *cu_key_find(const char *path);
/* The end of the first name in a path: its dot or its end. */
const char *cu_key_name_end(const char *path);

/* The bit of a daemon's name; 0: no such daemon. */
unsigned cu_key_owner(const char *daemon);

#endif
