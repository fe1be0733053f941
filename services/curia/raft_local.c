/* `operator raft recover`, `forget-promise` and `add-peer`: what an operator tells the raftd of
 * this host, over its socket (contracts 3.10, 4.2; consensus.md 10). */
#include <stdio.h>
#include <string.h>

#include "common/base/num.h"
#include "curia/internal/v1/log.pb-c.h"
#include "services/curia/call/once.h"
#include "services/curia/client.h"
#include "services/curia/command.h"

/* Calls a method without arguments; NULL: said why, beginning with `failed`. */
static ProtobufCMessage *tell(const struct cli_args *args, const char *method,
                              const ProtobufCMessage *in, const char *failed)
{
    ProtobufCMessage *reply = NULL;
    struct cu_diag diag = {0};
    if (!cli_takes_no_words(args))
        return NULL;
    if (call_once(args, "raftd", &curia__internal__v1__log__descriptor, method, in, &reply,
                  &diag)) {
        (void)cli_sorry("%s: %s", failed, diag.text);
        return NULL;
    }
    return reply;
}

static const char *cluster_text(ProtobufCBinaryData id, char text[CU_UUID_BYTES])
{
    uint8_t bytes[16] = {0};
    if (id.len == sizeof bytes)
        memcpy(bytes, id.data, sizeof bytes);
    return cu_format_uuid(bytes, text);
}

int cli_operator_raft_recover(const struct cli_args *args)
{
    Curia__Internal__V1__RecoverRequest in = CURIA__INTERNAL__V1__RECOVER_REQUEST__INIT;
    char text[CU_UUID_BYTES];
    ProtobufCMessage *reply = tell(args, "Recover", &in.base, "Error recovering");
    if (!reply)
        return 1;
    const Curia__Internal__V1__RecoverReply *recovered = (const void *)reply;
    (void)printf("This server goes on alone as cluster %s.\n"
                 "What only the lost servers had acknowledged is lost.\n",
                 cluster_text(recovered->cluster_id, text));
    protobuf_c_message_free_unpacked(reply, NULL);
    return 0;
}

int cli_operator_raft_forget_promise(const struct cli_args *args)
{
    Curia__Internal__V1__ForgetPromiseRequest in =
        CURIA__INTERNAL__V1__FORGET_PROMISE_REQUEST__INIT;
    char text[CU_UUID_BYTES];
    ProtobufCMessage *reply = tell(args, "ForgetPromise", &in.base, "Error forgetting the promise");
    if (!reply)
        return 1;
    const Curia__Internal__V1__ForgetPromiseReply *forgotten = (const void *)reply;
    (void)printf("The promise to cluster %s is forgotten.\n",
                 cluster_text(forgotten->cluster_id, text));
    protobuf_c_message_free_unpacked(reply, NULL);
    return 0;
}

int cli_operator_raft_add_peer(const struct cli_args *args)
{
    Curia__Internal__V1__AddServerRequest in = CURIA__INTERNAL__V1__ADD_SERVER_REQUEST__INIT;
    const char *id = cli_text(args, "id");
    if (!id || !*id)
        return cli_sorry("Error adding peer: the id of the server to add is required: -id");
    in.server_id = (char *)(uintptr_t)id;
    ProtobufCMessage *reply = tell(args, "AddServer", &in.base, "Error adding peer");
    if (!reply)
        return 1;
    (void)printf("Added peer with id \"%s\"\n", id);
    protobuf_c_message_free_unpacked(reply, NULL);
    return 0;
}
