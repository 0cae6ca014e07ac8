/// libcurl (Debian: libcurl4-openssl-dev). Its options are set by functions of variable arguments, which Swift
/// does not call; so there is a function here for each type of a value.
#pragma once
#include <curl/curl.h>

static inline CURLcode curl_set_number(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode curl_set_size(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

/// For text, which libcurl copies, and for the bytes of a body, which it copies as well if it was told to.
static inline CURLcode curl_set_bytes(CURL *easy, CURLoption option, const void *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode curl_set_receiver(
    CURL *easy, CURLoption receiver, curl_write_callback function, CURLoption data, void *value) {
    CURLcode status = curl_easy_setopt(easy, receiver, function);
    return status == CURLE_OK ? curl_easy_setopt(easy, data, value) : status;
}

static inline CURLcode curl_get_number(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLMcode curl_set_multi_number(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
