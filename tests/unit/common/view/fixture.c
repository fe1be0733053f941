#include "tests/unit/common/view/fixture.h"

#include <stdio.h>
#include <string.h>

#include "curia/v1/kv.pb-c.h"
#include "tests/lib/suite.h"

struct cu_loop *loop;
static struct cu_rpc *rpc;
struct fake_catalog *fakes[2];
struct cu_view *view;

void open_view(size_t catalogs)
{
    char urls[2][128];
    const char *list[] = {urls[0], urls[1]};
    loop = cu_loop_new();
    for (size_t i = 0; i < catalogs; i++) {
        (void)snprintf(urls[i], sizeof urls[i], "ipc://%s/c%zu.sock", suite_tmpdir(), i);
        fakes[i] = fake_catalog_new(loop, urls[i]);
        fakes[i]->value = strdup("v");
    }
    rpc = cu_rpc_new(&(struct cu_rpc_options){.loop = loop,
                                              .daemon = "agentd",
                                              .node_id = "22222222-2222-2222-2222-222222222222",
                                              .node_name = "n2",
                                              .datacenter = "dc1"});
    view = cu_view_new(&(struct cu_view_options){.rpc = rpc,
                                                 .loop = loop,
                                                 .catalogs = list,
                                                 .catalog_count = catalogs,
                                                 .hold_ms = HOLD_MS,
                                                 .kept_limit_bytes = KEPT_BYTES});
}

void close_view(void)
{
    cu_view_free(view);
    cu_rpc_free(rpc);
    for (size_t i = 0; i < 2; i++)
        if (fakes[i])
            fake_catalog_free(fakes[i]);
    cu_loop_free(loop);
}

void up(void)
{
    FAKE_WAIT(loop, cu_view_is_up(view));
}

pthread_t encoded_by;

static unsigned encode(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    encoded_by = pthread_self();
    const Curia__V1__KvGetReply *reply = (const Curia__V1__KvGetReply *)message;
    if (!reply->pair)
        return 404;
    cu_buf_u8(out, (uint8_t)('0' + format));
    cu_buf_append(out, reply->pair->value.data, reply->pair->value.len);
    return 200;
}

static const struct cu_view_method method = {&curia__v1__kv__descriptor, "Get", encode};

void note(void *arg, const struct cu_view_answer *answer)
{
    struct outcome *o = arg;
    o->answers++;
    o->err = answer->err;
    o->index = answer->index;
    o->last_contact_ms = answer->last_contact_ms;
    if (!answer->body)
        return;
    o->len = answer->body->len;
    size_t len = o->len < sizeof o->body - 1 ? o->len : sizeof o->body - 1;
    memcpy(o->body, answer->body->bytes, len);
    o->body[len] = 0;
}

void read_as(struct outcome *o, const char *key, uint64_t index, uint64_t wait_ms, unsigned format)
{
    Curia__V1__KvGetRequest request = CURIA__V1__KV_GET_REQUEST__INIT;
    request.key = (ProtobufCBinaryData){strlen(key), (uint8_t *)key};
    *o = (struct outcome){.read = {.method = &method,
                                   .request = &request.base,
                                   .index = index,
                                   .wait_ms = wait_ms,
                                   .format = format,
                                   .done = note,
                                   .arg = o}};
    cu_view_read(view, &o->read);
}

void read_key(struct outcome *o, const char *key)
{
    read_as(o, key, 0, 0, 0);
}
