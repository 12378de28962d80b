import Hummingbird
import HummingbirdTLS
import Yams
import X509
