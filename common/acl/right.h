/* right.h - what is asked of a token: an access to a kind of resource (http-api.md 4.3). */
#ifndef CU_ACL_RIGHT_H
#define CU_ACL_RIGHT_H

enum cu_right {
    RIGHT_NONE, /* open to all: no token is looked at */
    ANY_TOKEN,  /* any token that is known, also none: the handler filters, or asks per row */
    ACL_READ,
    ACL_WRITE,
    AGENT_READ, /* of a node's name */
    AGENT_WRITE,
    EVENT_READ,
    EVENT_WRITE,
    INTENTION_READ, /* of a service's name, or "*" */
    INTENTION_WRITE,
    KEY_READ,
    KEY_WRITE,
    KEY_LIST,
    KEY_WRITE_BELOW, /* everything under a prefix */
    KEYRING_READ,
    KEYRING_WRITE,
    NODE_READ,
    NODE_WRITE,
    OPERATOR_READ,
    OPERATOR_WRITE,
    QUERY_READ,
    QUERY_WRITE,
    SERVICE_READ,
    SERVICE_WRITE,
    SESSION_READ,
    SESSION_WRITE,
    CU_RIGHT_COUNT
};

#endif
