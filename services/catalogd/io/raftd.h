/* raftd.h - the calls to the raftd that is followed: each performs an action of the replica and
 * brings the answer back as an event. */
#ifndef CATALOG_RAFTD_H
#define CATALOG_RAFTD_H

#include "services/catalogd/io/shell.h"

enum {
    CATALOG_FOLLOW_BYTES = 1024 * 1024, /* of entries in one answer */
    CATALOG_STATUS_MS = 250,            /* how often raftd is asked for the age of stale reads */
    CATALOG_STATUS_SOON_MS = 25,        /* while it knows no leader, or does not answer */
};

/* Dials; the connection's coming and going becomes events. */
void catalog_raftd_open(struct catalog_shell *shell);
void catalog_raftd_close(struct catalog_shell *shell);

void catalog_raftd_attach(struct catalog_shell *shell);
void catalog_raftd_follow(struct catalog_shell *shell, const struct catalog_action *act);
void catalog_raftd_read_index(struct catalog_shell *shell, const struct catalog_action *act);
void catalog_raftd_duty(struct catalog_shell *shell, const struct catalog_action *act);
/* ttl 0 lets go. Nothing comes of a failure but a hold that ends sooner. */
void catalog_raftd_hold(struct catalog_shell *shell, uint64_t index, uint32_t ttl_ms);

/* How old a stale read is: ms since the leader was heard; *ret_known whether there is one. */
uint64_t catalog_raftd_contact_ms(const struct catalog_shell *shell, bool *ret_known);

#endif
