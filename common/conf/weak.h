/* weak.h - what HCL cannot tell apart is made one: an object, and a list of one object. */
#ifndef CU_CONF_WEAK_H
#define CU_CONF_WEAK_H

#include <jansson.h>

/* The only element of a list of one, else `value` itself; borrowed. */
json_t *cu_conf_unwrapped(json_t *value);

/* Within the definition of a service or check, or another value that the key table does not look
 * into: each list of one object becomes the object, except where a list is meant ("checks",
 * "upstreams", ...). Changes `value`, an object or a list of them. */
void cu_conf_weaken(json_t *value);

#endif
