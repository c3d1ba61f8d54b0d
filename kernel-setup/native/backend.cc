// The backend of tfjs-node as it is, with every operation executed under signals.h.
#define TFE_Execute damlabExecute
#include "tfjs_backend.cc"
