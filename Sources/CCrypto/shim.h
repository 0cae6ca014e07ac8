/// Digests, derived keys and random bytes of OpenSSL (Debian: libssl-dev).
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
