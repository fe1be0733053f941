/* once.h - one call to a daemon of this host, to its end. */
#ifndef CLI_CALL_ONCE_H
#define CLI_CALL_ONCE_H

#include "common/rpc/client.h"
#include "services/curia/flag.h"

/* *ret_reply: protobuf_c_message_free_unpacked(). Errors: CU_E_DISCONNECTED nobody answers on its
 * socket within 3 s, and what the daemon says; the sentence in diag. */
CU_MUST_USE enum cu_err call_once(const struct cli_args *args, const char *daemon,
                                  const ProtobufCServiceDescriptor *service, const char *method,
                                  const ProtobufCMessage *in, ProtobufCMessage **ret_reply,
                                  struct cu_diag *diag);

#endif
