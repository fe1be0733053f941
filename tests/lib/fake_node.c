#include "tests/lib/fake_node.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

static void *copy(const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = cu_alloc(size + 1);
    (void)protobuf_c_message_pack(message, packed);
    void *made = protobuf_c_message_unpack(message->descriptor, NULL, size, packed);
    free(packed);
    return made;
}

static void drop(void *message)
{
    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
}

Curia__V1__Service *fake_node_service(const struct fake_node *fake, const char *id)
{
    for (size_t i = 0; i < fake->service_count; i++)
        if (strcmp(fake->services[i]->id, id) == 0)
            return fake->services[i];
    return NULL;
}

Curia__V1__Check *fake_node_check(const struct fake_node *fake, const char *id)
{
    for (size_t i = 0; i < fake->check_count; i++)
        if (strcmp(fake->checks[i]->check_id, id) == 0)
            return fake->checks[i];
    return NULL;
}

static void drop_check(struct fake_node *fake, size_t at)
{
    drop(fake->checks[at]);
    fake->checks[at] = fake->checks[--fake->check_count];
}

void fake_node_drop_service(struct fake_node *fake, const char *id)
{
    for (size_t i = fake->service_count; i-- > 0;)
        if (strcmp(fake->services[i]->id, id) == 0) {
            drop(fake->services[i]);
            fake->services[i] = fake->services[--fake->service_count];
        }
    for (size_t i = fake->check_count; i-- > 0;)
        if (strcmp(fake->checks[i]->service_id, id) == 0)
            drop_check(fake, i);
}

void fake_node_deinit(struct fake_node *fake)
{
    drop(fake->node);
    while (fake->service_count)
        drop(fake->services[--fake->service_count]);
    while (fake->check_count)
        drop(fake->checks[--fake->check_count]);
}

static void put_service(struct fake_node *fake, const Curia__V1__Service *service)
{
    for (size_t i = 0; i < fake->service_count; i++)
        if (strcmp(fake->services[i]->id, service->id) == 0) {
            drop(fake->services[i]);
            fake->services[i] = copy(&service->base);
            return;
        }
    ck_assert_uint_lt(fake->service_count, FAKE_NODE_ROWS);
    fake->services[fake->service_count++] = copy(&service->base);
}

static void put_check(struct fake_node *fake, const Curia__V1__Check *check)
{
    ck_assert(!*check->service_id || fake_node_service(fake, check->service_id));
    for (size_t i = 0; i < fake->check_count; i++)
        if (strcmp(fake->checks[i]->check_id, check->check_id) == 0) {
            drop(fake->checks[i]);
            fake->checks[i] = copy(&check->base);
            return;
        }
    ck_assert_uint_lt(fake->check_count, FAKE_NODE_ROWS);
    fake->checks[fake->check_count++] = copy(&check->base);
}

static void note_token(char token[64], const struct cu_rq *rq)
{
    (void)snprintf(token, 64, "%s", rq->token ? rq->token : "");
}

void fake_node_register(struct fake_node *fake, struct cu_rq *rq)
{
    const Curia__V1__RegisterRequest *in = (const Curia__V1__RegisterRequest *)rq->in;
    Curia__V1__RegisterReply reply = CURIA__V1__REGISTER_REPLY__INIT;
    fake->registered++;
    note_token(fake->token, rq);
    if (fake->fail_with) {
        cu_rq_fail(rq, fake->fail_with, "as told");
        return;
    }
    if (!in->skip_node_update || !fake->node) {
        drop(fake->node);
        fake->node = copy(&in->node->base);
    }
    if (in->service)
        put_service(fake, in->service);
    for (size_t i = 0; i < in->n_checks; i++)
        put_check(fake, in->checks[i]);
    cu_rq_reply(rq, &reply.base, 0);
}

void fake_node_deregister(struct fake_node *fake, struct cu_rq *rq)
{
    const Curia__V1__DeregisterRequest *in = (const Curia__V1__DeregisterRequest *)rq->in;
    Curia__V1__DeregisterReply reply = CURIA__V1__DEREGISTER_REPLY__INIT;
    fake->deregistered++;
    note_token(fake->token, rq);
    if (fake->fail_with) {
        cu_rq_fail(rq, fake->fail_with, "as told");
        return;
    }
    if (*in->service_id)
        fake_node_drop_service(fake, in->service_id);
    else
        for (size_t i = fake->check_count; i-- > 0;)
            if (strcmp(fake->checks[i]->check_id, in->check_id) == 0)
                drop_check(fake, i);
    cu_rq_reply(rq, &reply.base, 0);
}

static Curia__V1__ReadMeta meta(void)
{
    Curia__V1__ReadMeta made = CURIA__V1__READ_META__INIT;
    made.index = 1;
    made.known_leader = true;
    return made;
}

void fake_node_services(struct fake_node *fake, struct cu_rq *rq)
{
    Curia__V1__NodeServicesReply reply = CURIA__V1__NODE_SERVICES_REPLY__INIT;
    Curia__V1__ReadMeta head = meta();
    fake->read++;
    note_token(fake->read_token, rq);
    reply.meta = &head;
    reply.node = fake->node;
    reply.services = fake->services;
    reply.n_services = fake->node ? fake->service_count : 0;
    cu_rq_reply(rq, &reply.base, 0);
}

void fake_node_checks(struct fake_node *fake, struct cu_rq *rq)
{
    Curia__V1__ChecksReply reply = CURIA__V1__CHECKS_REPLY__INIT;
    Curia__V1__ReadMeta head = meta();
    reply.meta = &head;
    reply.checks = fake->checks;
    reply.n_checks = fake->check_count;
    cu_rq_reply(rq, &reply.base, 0);
}
