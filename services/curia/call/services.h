/* services.h - which services each daemon offers, for `call`. */
#ifndef CLI_CALL_SERVICES_H
#define CLI_CALL_SERVICES_H

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

enum { CALL_SERVICES = 16 };

struct call_daemon {
    const char *name;
    const ProtobufCServiceDescriptor *services[CALL_SERVICES]; /* NULL-ended */
};

/* NULL: no such daemon. */
const struct call_daemon *call_daemon_find(const char *name);

/* "Service.Method"; NULL: none of the daemon's. */
const ProtobufCMethodDescriptor *call_method_find(const struct call_daemon *daemon,
                                                  const char *name,
                                                  const ProtobufCServiceDescriptor **ret_service);

/* A follow is called again and again from where it stood. */
bool call_is_follow(const ProtobufCServiceDescriptor *service,
                    const ProtobufCMethodDescriptor *method);

#endif
