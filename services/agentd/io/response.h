/* response.h - bodies and heads of answers, as libmicrohttpd takes them. */
#ifndef AGENT_RESPONSE_H
#define AGENT_RESPONSE_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/view/view.h"

struct MHD_Response;

/* Yours until agent_rq_answer() takes it. Never NULL. */
struct MHD_Response *agent_response_copy(struct cu_bytes body);
struct MHD_Response *agent_response_take(struct cu_buf *body); /* the buffer is empty after */
struct MHD_Response *agent_response_share(struct cu_view_body *body); /* takes a reference */

/* One that goes out more than once: its heads are made once. */
struct agent_shared_response {
    unsigned refs;
    struct MHD_Response *response;
};
struct agent_shared_response *agent_shared_new(struct MHD_Response *response); /* taken over */
struct agent_shared_response *agent_shared_ref(struct agent_shared_response *shared);
void agent_shared_unref(struct agent_shared_response *shared); /* takes NULL */

/* A value with a line break is dropped with its name: only what somebody configured can have one.
 */
void agent_response_header(struct MHD_Response *response, const char *name, const char *value);
void agent_response_number(struct MHD_Response *response, const char *name, uint64_t value);

#endif
