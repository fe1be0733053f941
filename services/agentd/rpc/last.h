/* last.h - the last answer that went out to more than one: for all who get the same within a second
 * its heads are made once. */
#ifndef AGENT_LAST_H
#define AGENT_LAST_H

#include "services/agentd/io/response.h"
#include "services/agentd/rpc/answer.h"

struct agent_last;

struct agent_last *agent_last_new(void);
void agent_last_free(struct agent_last *last); /* takes NULL */

/* Whether it is one of this body, with these heads and the Date of this second. */
bool agent_last_is(const struct agent_last *last, const struct agent_body *body,
                   const struct agent_meta *meta, int64_t second);
/* Takes the response over, and a reference to the body. */
void agent_last_set(struct agent_last *last, const struct agent_body *body,
                    const struct agent_meta *meta, int64_t second, struct MHD_Response *response);
struct agent_shared_response *agent_last_get(struct agent_last *last); /* borrowed */

#endif
