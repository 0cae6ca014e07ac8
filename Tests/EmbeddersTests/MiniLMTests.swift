import Embedders
import Foundation
import Labelled
import MemoryEngine
import Testing

/// all-MiniLM-L6-v2, if `make model` was run on this machine or LOCI_MODEL names it.
private let miniLM: LocalEncoder? = {
    guard let local = try? AvailableEmbedders().local, local.space.model == "all-MiniLM-L6-v2" else {
        return nil
    }
    return local
}()

/// What the libraries of the model's makers give: tokens by `tokenizers` 0.23.3, vectors by `sentence-transformers`
/// 6.2.0 in 32-bit floats, here as 16-bit ones in base64.
private struct Golden: Sendable {
    let text: String
    let tokens: [Int32]
    let vector: String

    var components: [Float] {
        let bytes = Data(base64Encoded: vector) ?? Data()
        return stride(from: 0, to: bytes.count - 1, by: 2).map {
            Float(Float16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8))
        }
    }

    static let all = [
        Golden(
            text: "The deploy failed: its token had expired.",
            tokens: [101, 1996, 21296, 3478, 1024, 2049, 19204, 2018, 13735, 1012, 102],
            vector: """
                J6ZEpkMmRKVPKiSnRaZ3pWQeqCxZLUAhzyBtKc0sbC0TojKo46MFKzelqylpnxQpsiU6qXCwRyCfqhAo6JGGJfyqqh7iMBIv\
                zidHoW0tb6RFIJ8f/qR6HdUoXCOZIb2qKyAhK1OkWK3ZHFmufKvcpear2SwtMASiRilUrM0kxCm8rDuptqhsryeizp0ZKk0o\
                J6/DnLWlHiiaLCwaSi9SqJIOWKt9I6MsTCYHpS4nryA8ot8opSZ+JnwXvydQpvis1KqoK4qsfCxaJYmgixvnJmwfGiGMHSEs\
                gSSMIRuiACeMqlSoFqoFLtqurya2KAUhfCgBqMWrKKtErL6nZTAAgOar0iXoEcErciwspqogRqwhqbyoD6fnpTmnY6Tmqi+s\
                qygKKh4s1aalJwqs26mUqb6nLCvWLSWgbyhYKh+L5B7FK4kmISMqpVopSqWIrAwptSW1pCKsHSWNKTaj8SxzHDMxRSqgrQ2o\
                gZulrWEtk6Kfpaulf67Wr2KnHSApqFuoDyoFq1upJiODIDYcsBwynqYscyUgriaumS2gJtmcbyzDoaas7Kw3iL8lqy7fGMym\
                4qpgLZmjyKDFpcQpN7AAACKsy6V2pBcnMiksqoAdKy4JqPYrWqPVKTmsxyW/rDErqRufp+0daaOqqEYs7CUML3+lXCc2pk0s\
                GykrDaYsFKgVrbkt1B3SDj6b8qhAJTKsJRpdqrAamqMtKfAj3i9ZqyAjqSYtHOMn2CqBoOWjhSFqKOWe46nHpusqHiFPJp6g\
                6CZJK/GnRS0gqC0nc6K0JQKrgqEop5CqHSCipC8C9CkHk2Ehoa2SpqYX0ptKKDws96CZLKamwrDXoMksTagAgE+lqSqEpQGq\
                Iyg9pTYtQquwoFCdAq1qKx+t3CtErHet3qysLjYq9K25qT6oHiIVrnGkiizwIBIqpKiTqgqtPyc9qBStQq5GqX2fHqNooSOr\
                iJDMLuwrFKhWrH0rbCU5IGYXhRvkJSWq/a1HLVWmGiuxJ+6gCKQYoOcr4KIHn3So
                """),
        Golden(
            text: "Ada Lovelace wrote the first program for Babbage’s engine.",
            tokens: [
                101, 15262, 2293, 19217, 2626, 1996, 2034, 2565, 2005, 8670, 22414, 3351, 1521, 1055, 3194,
                1012,
                102,
            ],
            vector: """
                nK0ymtOo4Bm1r9QpBaMRKpurZ6o8rfIpBCcrrIusICpWphCe1B6yqvYi/SRFLComqyeHKS+p7KFnJEOs2iMZJ7IuB6VaJY8o\
                xyndK+mrkqX/q2Qc3JvhGIGiPaS1FAootitSqLmvc6mApHStTSuqmZwo2yTgJSuqt6wYJ9OlvCxdKhghvqynq6eksKz5rCuq\
                W65KJUOdYaehJhwkhBg/rK2kSrDDpAgsvqERLB4Etyc3LBerRSgzq96Q2iITp0gmVKqwpsIoRilNqo+o/SuZLMCgx6T3LGYt\
                biwXrD4q7qvVLFmk4py9qnut4R2+K/wZLygxHqmf+hV5rMSkTakAgFEmCKmiLqYrpCxhIvyhICmxp9Wlo56CIYaozSsCHG4c\
                6q3uq3UmLq1zKHoo4CgtpVOjeSwPJdypXC1bLISkeSW0sMup+Kt1JemuO6wgpIMtnSPsJlsqtK0opVgkGiiLLpkv5S4HqCIn\
                aiiDJ0kkcyv8JzooASpHLQmpczBVKsoduJ0mJIoooySqoBkkDazoEpAiXayil6wbqyZTqxutQK6CrH6UriaiJBWnk6R0FU6h\
                aKpBKASpqajYp7otpasAAMaq7qi4JimlhJ28qBYiiqsQKaEkRSrqnZQqQCRfqNWkACOvrIip4h05KF0v0K68FtgsmyQXLgon\
                KKEZH/0loymTqYEaA6wSJ6EdiCcIpZum1SvHKrilZykrLTUt96w4qc2leygRqlKp4yuYqk0lQB9XLSMsTSgbojqp6KhJLReq\
                wKXeIZYb5ScaEJGtRh9riGCa0SsvrNwukZ+FqkKr16fBIdAkBisMLGCZByjlqDWtZCjFLBSpxSssLv0oGaUAgPoawiSqJwSl\
                cCtjK0UkDp0Mrs+s/KXYKNMrdCx5Kiop5izwrfiqGKhkKikmBy9Zp7ysz6rpHIasCBoyqhOpei15LXarPSwdKKatoyNIFvyn\
                NCKBLFQs9Kx0KE4pBamLqbwlvinqJ4sshaLSoDwkJyOirjGv0ZXrqJYrlijLLRer
                """),
        Golden(
            text: "ÅNGSTRÖM naïve café e\u{301}", tokens: [101, 17076, 15687, 15743, 7668, 1041, 102],
            vector: """
                TyuNHDqdzCdkKBwoWCyfpXWnjR/9KrCozKyfqjsmaapILPWb3CSbmQau06SzIsKnBShWInYuU6CBK8uuJSxZKawu36k/K5wl\
                USpjrHCooixJpR2uE6lGqGQmrqbEpEsleCCHJ56rm600rnOstSFoq1GqbxzHLXQgGC5zrwKrzCd7oKwhMKmDHnAldq6RLHml\
                ZaxJKYWkbi3gKFqpsSykLJ+o+ye7qTCY8SUaJIYbsKVWHKmuYSdeJ7Wt4SBOqoOpfCkdpKujuC8ArD8ssyCxKouqka3Eo+Al\
                3yktKPyrbKgcrlap9ajnqdYf9KlGLJihD6TvKHCrNiVlpeUixCgAAHmgXix+oVyo8SqKoL2k5q3/owCXwKg+LK+c6i8uo06U\
                sCiHI/8fRJqNJnonsiERJhenYycOKSynYSouK6oog6PqmG0ccK3TqraYJSNzp0skBglgKDos4SbqqvUohywbqRMsrasUqk4g\
                OarBLw0q9R4VpSYtvirxo3EkvS0hJNgfraqcpEEdzK1qKzykWinBHBgtlKyYqQiq/qOGLO2o1ibAqzkmzimEJAGsiKWgJV+r\
                Z6R5KaWqBzA2FouR+KgAgOQt2qb2qPkrUakwLCYtTylZqDEkCSgrGrUpMaeHJJwqDi7TKdylRaDJrHohtaVFIMYZGiigLbal\
                yLEhrDWsU6x4n2suQyRYLBUWUKAArKQtNyPrI0mvHS3TKRyuOSfbGLEdK6kfLIIXN6pQKPmd8yTRKnMjt6KtJ1Eta6W8I1gq\
                6iwEJ22pXakAnyoo2CotK98fKaSNpHcndyDoLI6j6aNtImijxSJ9Lp0sKyrZK4io/yh2K1uszyD4q7Yuwi0AgP2a/qT+qeQn\
                sJ9XrXqdnaIAGrcsfaltJrqtCC6CJA2njig0KW6pWSZMptso6Cy1rqGp1as7JUUpqSzzrkGpWabLIKEoNSh5JzGpeigxq5cu\
                CK+JrhofIq41rAgoZJwzJUam1SuFrA4mS6DNpFmlsqq8rBmo9qn8IYEpOqmarQyo
                """),
        Golden(
            text: "東京タワー and 한국어",
            tokens: [
                101, 1879, 1755, 1709, 30262, 30265, 1998, 1469, 30006, 30021, 29991, 30014, 30020, 29999,
                30008,
                102,
            ],
            vector: """
                aaU0LCAp9qtFrOQk+C3RnHer7qIhLWCvXqfdqYwuFp+SImintZv0rqykFrChqt0tLY+nLJwkWyxHJzmYg62HpaUZZKYYpK0q\
                e6UnmyakMSsmrjemvig0GZurnygvpMCg9qzTo0UoNysVFUGkaax5LbeebSu7JOsjrq65JCytVSizKgKoGaucK/8mCS3hK3yj\
                0iiyJ+yqBShapxklGKjZrECRRSItm2qTkalvGYKqPSmArD2c0C7HKrsjPZ5xqDotyK3LKH0pqCJXjmeJaA6HLaWbhKwapBmi\
                Ii4rqSWt8Ku7J2ymVqh+Io0g5KqzKI8smiqIp++rGqk1rVAQLSoAAF4qBqotLEauGaQUqj2oW6b7pDUq4iTwrgitGKXXoyMq\
                WitTKDav9SoxItqgf6YRoMSlFyiqqH+rFRmPLNYNJKnUJLciQKxjq+ClSyeyF1SgtSUPqBawjy1sKQ0rxCrNqGSkpyVfnVmi\
                bKA1rVctiy08LIuWSSLzKnYrVy/HJrucfCl5pDoaqK6EJSmszanPqWEsLSycpeOneat+nuck96gGqa6syqafELYsZSlIK86v\
                +CSeKKWk7SZTK0CoRa4AgEEhAScCrEaujaq0LsUsZiyoKIAtTSKFmGOk8ZxCpDKjiTByLkYjgywwpQmui6QvLDIlw6g9LBom\
                SCA7KrSpfJlzHesoYBcpq5ciICByp3GsRqw8GAAvTyXgDOMmz665KS2u46u0mJenT6TRJXgZfCN9rcOpIainnzen8aqTFoYq\
                Xiw/ozUtFaraJCyiUqRuo36qWCe1pXGhD6zjFLemoKmtrRgtcKzJqOWoOaNEqw4vayRcqvIo6yznrukq0qIAgEUu0KxzI76o\
                +Ct/oAWjGyA6LDcN+CrNKwUlCComr2eqqCXLLE8d6JAoJ3Ql+yUGF5oqEC3EqRksrSl4CJ4k6xcjqkAk3ihlIWSoCiz4pg6t\
                ASTLqzwrFiSTKa+oyyT5IDsdZ6hjrmSXrKbNiNEsSqNtJeWphqPIqr8rRCwSq30n
                """),
        Golden(
            text: "🙂👍🏽 x\u{0}y\u{200D}z\u{FFFD}", tokens: [101, 100, 1060, 2100, 2480, 102],
            vector: """
                1akerMweH6BhnF6hLzAGrBEewau8LW2jGDArK7oj1CkxnZqs+K0+mBMlXCmKJSMpyaFEIpSh2yYWLBKhwqUXLQAZAK3mKKuk\
                OirXqWiso52knvWo6SndqeQo8SoXpC6nACdvinecJ6hXq8YpYioTK76lUCQOqPmtr6XRKHIQ1CRLLA6mkR4/pGCfbivIJZap\
                ZKhxpJCrRSGGMAye5SWkKRarm6nQpy0tf6unlWOudycmrDssbxg9Kc8oNh0IrmQmQSzNqQ6seS6ULS+l4C7yKCep/6QxpDYb\
                biBIJTGplq1pq3ao6yCaJmCo9ywMom2qoij6lPCbX6CyqfwkxycAAI+sHyw4oM+pyKHzLOMldy0lrEssPqIpLGWoGKgHprup\
                g6yZm44h2CzZKDasJaWOJ9OtYKyyHhqvG63dJfupkKoJozwoWatppTUtqBhTpcUhUSmrqzSulKw3pIEt3amrrAmpXa5/JBQp\
                ILDcK4guj6RCKHMqTqg7orAoG6coJ08kE6ubqekpK6kIJDQgrqkOIMkv4aFnp4GpZaa1I74sOyNYK8+pZikyrEAoiSklJZWr\
                vCirpW2wZqfdLcKsHqoAgHahxCvRKs2fjps9q5smBC57JU+nnigSpralmigzLAoofy5EKHWjDaSeo52lGKHtmLaoOiWVLdUp\
                vyq/IP+sOqR1qlmn/ByJqYymqiRfqjUmFCRQqIgoKTHiGlsrU6gkGzgtQSb2J4WquCb0m0moxCXQJH6ljRx2KMeonKqaqasn\
                46WRrHsg2attmWisjDAPmp+woJ3LrOIseiRbJksVDaTpnRQpwSOYpNGiBKq6lx4v4KCjqQKpsyo5oZ+nay4AgACrZSkZIpyq\
                QSCBKJmudqhQL9aefC4oogadxC2LrNkgpQ4gKyIol6sALQknZqhUJ7iq/6HOruAsgKmIoJqnTawqoBom6hftFS0qayUnJlWo\
                9KTOqEYmzyE9qZKTXyyLpEepi6fLpfsp4yRYqZQtSioMoLcuAaiJKFsnDjAaEh+v
                """),
        Golden(
            text: String(repeating: "b", count: 101) + " ok", tokens: [101, 100, 7929, 102],
            vector: """
                K6ieq1QtLSn2JYQZGSrBnUMkxKguIVOkeCzpKtqkvJ1giAusnqwlLW2tESR9JAeid67rIcohnyRdLXAYxqcgFg8oZ6ZjJYIo\
                JSInp8WlLSmjqa+nVh3AqfkpxaR1qMSoHSCcJiKmgh3wqwUp7yoHLXWrVawDLBCtsqfypIWr6xpOKRgk06jhoAKiACLDIz2o\
                LiAOq+4k7xb7KQImHSjHLhes/CBzoNMo46+9ne+dASlcJKwszh1cJ7omoiXKoQWl5pt+p5qwHzAoLt8qfx+eLsasW6xBJLOo\
                kSVjqAumn6fBqRQqRS9zLaWmkSzbpWAppSjdm6yqFSK/rDmu5hwAgFioGRqfoM6pradjLPCplSf3rgkUjKJllPuuTSMaJzQu\
                Eqp5LZMsmSD5IxWxo6OVKouq9yFxJKGs8BH9KiIda51XrHctQKJYq5MmwR6Fqlkrcyi2pgCwJaboJzMoA6tirHckVCDQoGgv\
                U6+elVIhN6vaIg8s7x/Eo7cl9yYJp3OoJqxBJLYnbCNPKYGpY6fon9ovKisAHAashyTSHE8tm6nALWGop6mDqBQt8qdvK2Cr\
                Yx0OqJ+wQKpBLlQqM6sAAGKiQzGInMMj+6y2FowsFyzUISakgCWnqP2qliTWK5ol4CpiGm2nsSfFnKygqK49LOUiSCzyKmgq\
                eSpzKtoPFKzBrPup0JhVpRilSK2yqEEpSiAwqIWZyjDMpKwcYhpXoAAqHyAGnQWuwiz+HkmnzioKLJglQ58appOrhiQkIIUt\
                1KJUpACr1qg9ElasZi3roS2wN6p2GcUpHCZ0KqQpLSgxpI0ndymIqWEru6xxKrIgHaiMpJoo7CwiLAuqTx8AgOaYHqffKNep\
                +CEAK76uagwXKM2o8i2qKRmrDyjDnXCklaAEGCgiFaYZLJyhiKAaJ6KkMCtdp6wrJ60erlwuy6qgmxQqGKlCq5SrSgwaJ4Wm\
                rajcAoEsLigArCAXZyyqIhOu4SVrI+qp9ynRKeArpaAyKAQm5SzYJKcumiOHLeWl
                """),
        Golden(
            text: "C++ isn't (always) 50% faster_than C#",
            tokens: [
                101, 1039, 1009, 1009, 3475, 1005, 1056, 1006, 2467, 1007, 2753, 1003, 5514, 1035, 2084, 1039,
                1001, 102,
            ],
            vector: """
                fhRtKeklfKB0JhCriKIqE50qAidtk8KnFadBHjeYUKyFIgip+quzIPGmaK4xrO0lIzBooUirLqVNLFElM6wwItEnhSzoqvUg\
                phkgrxscxCcBrKkuWqcRLGcWdCkpqrAnthnUq7Spcyybp1mr8JoWKGorMqhDHDeig639o3Ai36QYJQupCC0Go+EoBKbpqIQt\
                PiXzLpYmKa1Ko/QoLqhfrVMojBYlnOuhhixbJMkiW6oTpRynbxSNJOCl+iB9LSUsZiRpKqarZyXYoTsi56CwoLykq6QkLmUn\
                KR+kqQktKhQOJx0nJamJoCOlSqFqKmGdcqRxqPWlGCeAp1enOqUAgPqoAagDqU0d/qr0KN+ofy1HKFGb+6y9rAklhC1HLXyu\
                9SKEJgqsLqo2K22egZ+3pTIpx53rJ6ih9yZVpdOiyiP2oD8cci35opksdaYWJCUnSKoHKSaYO7DsrCsZKaoJoEirdKA+JUYw\
                i6xkLewmMJgTLsIkDpQMMPOnaisTJmIcKB3fmPajTCsJLEMpp5B7JRympqYjKuEfnaZ4nR+suqzerv4s8qWDrDkkAa28JHWt\
                1ynoHw4YbKrhJ84l+64AgGaqt6+xKsIsF6ICpaiemq3qqcQn9iwwK5yhby21Lc0imajXHkccCyaqpXoqP6MdKBOl7CxNsRIq\
                LyzMp0Spoi8RG3SoY6OvKYieTaVHKGkiuy6OquQPbKqPIj4qqiYQrCor3imXLB6N0ybSo9opJ6j/r4+nnpSPJqAXJyGapBIi\
                NyxFKmWo+qaAKsKioBuGLfqs8yILsW0nEC50I3SoexrDqJyelaowrEuxmyZJovmu8asqH5MlCijUISAgpqQAgAEmO6qGIYKd\
                zCjPIzaqYSDcqKasj6geq6qp5qpxLFKr9K3or1UgFJw2pgkr8aV3IlOwdaLbLjQtPyproRis0yYJrK8saiytJr4mByxAqDSo\
                dSb1KWWicykfKJes8p9Yo3IpMqsZFRAs6KjkJYCrQigIqyKsSqBKLt+KYq8hLRgq
                """),
        Golden(
            text: "", tokens: [101, 102],
            vector: """
                m68vKjiZo6GmKkUhYy++EYCthqx1FYqouCTmnj8mjqdxq3WqUaVvJxOsJya4Ji+erKG9lcSkMijpGUqroKmCJqAtZqayqGQe\
                QaxMrEQlbSmaJX2pZqjeKzMsBq2MJ4chDizFqaukGaeGm6+o8ipXpbMjsasyJEGoeyTgkDuxby3brCAkMSrIn2Wmnis4LH+o\
                PxNnr1IqTSgPK8Em3yr8KDMPoCTyrSycv5JAqtaeB6biqLcqcKkoq44tRKpWrdypbydwKImtgDaaKMkkRS4HoBImXqvSq8ie\
                Ox+MJT+mSqgZDA8opCkOLo6opZyYKbcK25lfprQbMCP7LDywCx8AgIMflRk4Iv+YJycHKasb8qlso9wqwB6xKOylMSgALe4g\
                FCDjGbSXzhxaopaS5qWAKTynSazvKImsJiX7Ff8VZCqkpr0Sz6hcp0Yox6ybqJMma6qMIW+pd5kJnVQxupQUnSasdyzGmXal\
                b6+MKd2aJqU9JKGpRyWnoPkgCyllosogia02qkQmWaDoJXmih6q1KNQo6idfp++kFKWWKCktpx6KKF+p2x4qphUu/ipTHKKq\
                OyFDqZOo2StWmqEtJR4AAPCs3SSTqK8tfqSomcUoxS3srVssuyXGqegnsinwnYModiwpnDWnk6jPpyWoH5l5KE+pvCc4Kg0s\
                jqW2KP0oCaZ7qnOrLSphLbUoXZJcJneqFCkqoZkYfS+fpfKdKKrCG4Eo8iz3rSSioKVJKeGlQxyIqX4s4aTJD50d2iZNqOUi\
                06X1KEempqhYl7uq2h6eplGwqxQKqtiquKR7n/Kg1KhaqLckGaClnUuoK6WMJYIhW6sLJWqf5iWyL6QaMiEAgPupMykeq7mX\
                NitbKlGpKSiYJs+kbiynJh+nXyvYLdmjtK4QpyekiKhboSuj0oxarRAgIR+pqckswywyqXuXFSVdI0UlqyUfrBSsIiQTIbGd\
                AKv4pYMsoB4bqnibAyAYnVyi+6y1kxmgLh5mLd4u2iHYIoei3iuQKBQxDDD1KQak
                """),
        Golden(
            text: "Ελλάδα ΣΟΦΟΣ Привет ≮ ﬁ ½",
            tokens: [
                101, 1159, 29727, 29727, 14608, 29722, 14608, 1173, 29730, 29736, 29730, 29733, 1194, 16856,
                10325, 25529, 15290, 22919, 1026, 1984, 1092, 102,
            ],
            vector: """
                SBwgJw0p+qYurwmgxiurJQKgwynzK9skbiVsIQeoCatGqLwn06htJ+0pNqo4L1ktoaizJYOp/qDqLMEmWh2coeksQabvLMEp\
                s6ZZroMk7yhxpt+wlqXtKK6sDpAtpAktah/QqRCssyVcnZ+sB64QKHAld6m0qAGtXiVVoG2mPiuxreUiHCeQHUimhS3fHSej\
                ianEotip7aeRJP+u0qVBoQMpIKQrqeEjsKjfqNgnyapcMGmoJahcrRyj1aQGqQwlrSheruygTSV5qPaoRCzxLJivqauWrHiv\
                laawqK2sybEFolKsuqVnKj4u7KTjqP+ktZiToHQq5SElqEOgqyoAAM2o1xb4qKanuauPJdgjGqZtqWCr8ZTuoIYV1ChjLD8s\
                1S3dKVokqSsEKwArqaTiIFKQAiMhnGaZKqrPJ1Qs+qnVnIKVdSbEKFIgcCVpKTMoCKoprAwrEaR0Lgkl8h5LKDYV6KI8H+8f\
                Yaq7KSYjuyuMpNQsW6ATrmcpKiGQHi2seShAq9KegSKVLssqy609pCko8y3YJogsWBllqb+pDSqDsB2o4ycGqDooYxcSJL2o\
                PygBogMluKgmJeeQl6sAgHcozKouHEMpfx5Dovap2C1RJQsrHKbtq5YgH6fcqxsqYzDdKRetVyteruoinyXTLJkoQqgOMOik\
                VLGGF9CmWyjjIWYqKaTTpVQrmCbwpBkd8SwQKYguhiXsIP+qPKzGHGcl4qi+JicpkBskojYw4qjrpfafGaQgKw4nsqeXozQs\
                Gy0IE7Ct+iS8JCugpifjph6oqipIq48pk6/LJxEvpaTCqPeq/6rrI0UoarBZrFYltyLIqT+obykdqk6pCSsAgLstwaFXK14e\
                1yj/qYanW6hppS4mkagcLAeheKFMqM0qMik4K/WiY6YmLtOo46rZrUircYSMqIOoRiNVsI8kTqJxrZmabKzGHLifLCBco54o\
                rCmFpoEpr6Ygnesq3aTnqv+cYaQpq0gtjSkmKWeqWyCtKlMjc63Bnl8mcSYyLQes
                """),
    ]
}

@Suite(.enabled(if: miniLM != nil, "there is no model on this machine: run `make model`"))
struct `The local encoder with all-MiniLM-L6-v2` {
    @Test func `makes the tokens and vectors that its makers' libraries make`() async throws {
        let folder = try #require(miniLM).folder
        let inputs = Golden.all.map { EmbeddingInput.text($0.text) }
        for name in LocalEncoder.kernelNames {
            let encoder = try #require(try LocalEncoder(folder: folder, kernelName: name))
            let vectors = try await encoder.embed(inputs, for: .passage)
            for (golden, vector) in zip(Golden.all, vectors) {
                #expect(encoder.tokens(of: golden.text) == golden.tokens)
                let likeness = cosine(vector, golden.components)
                #expect(likeness >= (encoder.rounds ? 0.999_5 : 0.999_99), "\(name): \(likeness)")
            }
        }
        #expect(Set(LocalEncoder.kernelNames).isSuperset(of: try Self.chosen(folder)))
    }

    private static func chosen(_ folder: String) throws -> [String] {
        try LocalEncoder.Arithmetic.allCases.map {
            try LocalEncoder(folder: folder, arithmetic: $0).kernelName
        }
    }

    private func cosine(_ a: [Float], _ b: [Float]) -> Double {
        func dot(_ a: [Float], _ b: [Float]) -> Double {
            zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
    }

    private static func requests(_ encoder: LocalEncoder) async throws -> [(vector: [Float], request: Int)] {
        let requests = try LabelledRequests.all()
        let vectors = try await encoder.embed(requests.flatMap { $0 }.map(EmbeddingInput.text), for: .query)
        return Array(zip(vectors, requests.enumerated().flatMap { place, all in all.map { _ in place } }))
    }

    @Test func `tells wordings of one request from others`() async throws {
        let all = try await Self.requests(#require(miniLM))
        var (same, other): ([Double], [Double]) = ([], [])
        for (place, first) in all.enumerated() {
            for second in all[..<place] {
                let likeness = cosine(first.vector, second.vector)
                if first.request == second.request { same.append(likeness) } else { other.append(likeness) }
            }
        }
        other.sort()
        let below = same.reduce(0) { sum, one in sum + (other.firstIndex { $0 >= one } ?? other.count) }
        let auroc = Double(below) / Double(same.count * other.count)
        #expect(same.count >= 300 && auroc >= 0.96, "\(auroc)")
    }

    /// A home of nothing but requests that are repeated, and one with too few to measure what is alike.
    @Test(arguments: [(200, 0.6), (24, 0.45)]) func `has wordings of one request as alike, and few others`(
        count: Int, least: Double
    ) async throws {
        let encoder = try #require(miniLM)
        let folder = FileManager.default.temporaryDirectory.appending(path: "loci-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let engine = try Engine.open(at: folder.path, embedder: encoder)
        let home = Namespace.project("requests")
        let all = try LabelledRequests.all().enumerated().flatMap { place, wordings in
            wordings.map { (text: $0, request: place) }
        }.prefix(count)
        let remembered = try await engine.remember(all.map { MemoryDraft($0.text) }, in: home).map {
            try $0.get()
        }
        let requestOf = Dictionary(uniqueKeysWithValues: zip(remembered.map(\.id), all.map(\.request)))
        var query = GraphQuery()
        query.kinds = [.similarTo]
        var (same, other) = (0, 0)
        for id in remembered.map(\.id) {
            for hit in try await engine.neighbors(of: id, in: home, query: query) {
                if requestOf[hit.memory.id] == requestOf[id] { same += 1 } else { other += 1 }
            }
        }
        #expect(Double(same) >= least * Double(3 * count), "\(same) found")
        #expect(other <= count, "\(other) mistaken")
        await engine.close()
    }

    @Test func `has the space that stored vectors name`() throws {
        // A change here makes vectors that are stored those of another space.
        #expect(try #require(miniLM).space.name == "all-MiniLM-L6-v2@cb9362b019f9/384/cosine")
    }

    @Test func `brings near what means the same in other words`() throws {
        let encoder = try #require(miniLM)
        func similarity(_ a: String, _ b: String) throws -> Float {
            zip(try encoder.vector(of: a), try encoder.vector(of: b)).reduce(0) { $0 + $1.0 * $1.1 }
        }
        let question = "How do I get a refund for my order?"
        let same = try similarity(question, "I would like my money back for what I bought.")
        #expect(try same > similarity(question, "How do I get a passport for my dog?") + 0.1)
    }
}
