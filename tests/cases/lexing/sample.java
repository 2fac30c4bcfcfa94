@A public final class B<T> { int x = 0b11; String s = """
 t"""; }
