template <typename T> auto f(T&& x) -> decltype(x) { return R"(raw)"; }
