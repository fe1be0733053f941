/* home.h - the catalogds that a daemon's own setting names; the first is its home (contracts 7.1).
 */
#ifndef CU_VIEW_HOME_H
#define CU_VIEW_HOME_H

#include <stddef.h>

#include "common/conf/conf.h"

/* URLs of what the list `key` names: "ip", "ip:port", "[ip6]:port", a bare IPv6 address (the port
 * is 8300 where there is none), or whole URLs. `local` alone where the list is empty; NULL:
 * nothing. Yours: each and the array, free(). */
char **cu_home_urls(const struct cu_conf *conf, const char *key, const char *local,
                    size_t *ret_count);

#endif
