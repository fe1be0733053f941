#include "services/agentd/io/response.h"

#include <microhttpd.h>
#include <stdlib.h>

#include "common/base/assert.h"

enum { NUMBER_BYTES = 21 }; /* 2^64 - 1 and a NUL */

struct MHD_Response *agent_response_copy(struct cu_bytes body)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.len, (void *)body.data, body.len ? MHD_RESPMEM_MUST_COPY : MHD_RESPMEM_PERSISTENT);
    CU_ASSERT(response); /* else out of memory */
    return response;
}

struct MHD_Response *agent_response_take(struct cu_buf *body)
{
    size_t len;
    uint8_t *data = cu_buf_take(body, &len);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
    CU_ASSERT(response);
    return response;
}

static void unref(void *body)
{
    cu_view_body_unref(body);
}

struct MHD_Response *agent_response_share(struct cu_view_body *body)
{
    if (body->len == 0)
        return agent_response_copy((struct cu_bytes){(const uint8_t *)"", 0});
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
        body->len, body->bytes, unref, cu_view_body_ref(body));
    CU_ASSERT(response);
    return response;
}

struct agent_shared_response *agent_shared_new(struct MHD_Response *response)
{
    struct agent_shared_response *shared = cu_alloc(sizeof *shared);
    *shared = (struct agent_shared_response){1, response};
    return shared;
}

struct agent_shared_response *agent_shared_ref(struct agent_shared_response *shared)
{
    shared->refs++;
    return shared;
}

void agent_shared_unref(struct agent_shared_response *shared)
{
    if (!shared || --shared->refs > 0)
        return;
    MHD_destroy_response(shared->response); /* the library has references of its own */
    free(shared);
}

void agent_response_header(struct MHD_Response *response, const char *name, const char *value)
{
    (void)MHD_add_response_header(response, name, value);
}

void agent_response_number(struct MHD_Response *response, const char *name, uint64_t value)
{
    char text[NUMBER_BYTES], *at = text + sizeof text - 1;
    *at = 0;
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    agent_response_header(response, name, at);
}
