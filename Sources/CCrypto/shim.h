/// Digests of OpenSSL (Debian: libssl-dev).
#include <openssl/evp.h>
#include <openssl/sha.h>
