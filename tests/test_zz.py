import sys

sys.path.insert(0, "/work/main")
from tests.test_session import *


def test_x(make_site):
    cells = [
        "import random, torch, numpy\nprint(random.random(), numpy.random.rand(), torch.rand(2))",
        "class A: pass\nprint(A(), object()); A()",
        "import matplotlib.pyplot as plt\nplt.hist(numpy.random.rand(50))",
        "print({'b', 'a', 'c'}, hash('x'))",
        "x = torch.ones(2, requires_grad=True)\n(x * x).sum().backward()\nx.grad",
    ]
    for start in ("fork", "spawn"):
        site = faulty(make_site, *cells, config=f'start = "{start}"')
        site.command("clean")
        site.build()
        print(start, [shown(site, k) for k in range(1, 6)], sorted(site.output()))
    assert 0
