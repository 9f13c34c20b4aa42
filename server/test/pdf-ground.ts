import { formatOptions } from '../src/format/options.ts';
import type { PdfOptions } from '../src/format/pdf/options.ts';

/** A text of each script that documents are set in, as it is stored. */
export const SCRIPTS: Readonly<Record<string, string>> = {
  latin: 'Crème brûlée, Zażółć gęślą jaźń, Đặng Thị, office',
  greek: 'Ξεσκεπάζω την ψυχοφθόρα βδελυγμία',
  cyrillic: 'Съешь же ещё этих мягких французских булок',
  hebrew: 'דג סקרן שט בים מאוכזב ולפתע מצא חברה',
  arabic: 'نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر',
  persian: 'می‌خواهم گچ پژ',
  chinese: '本合同自双方签字之日起生效，具有同等法律效力。',
  traditional: '本合約自雙方簽字之日起生效',
  japanese: '利用規約に同意しました。ポリシー・バージョン',
  korean: '이용 약관에 동의합니다.',
  decomposed: '\u1112\u1161\u11ab\u1100\u1173\u11af \u304b\u3099\u304d\u3099 y\u0302',
  oldKorean: '나랏말\u110a\u119e미',
  rareHan: '㐂㛃𬭊𰜩',
  pointed: 'בְּרֵאשִׁית שָׁלוֹם',
  vocalised: 'مُحَمَّد بِسْم لأنّ نص',
  armenian: 'Օգտատերն ընդունել է պայմանները և',
  georgian: 'მომხმარებელმა მიიღო პირობები',
  hindi: 'उपयोगकर्ता ने सेवा की शर्तें स्वीकार कर लीं। क्षेत्र, हिन्दी',
  bengali: 'ব্যবহারকারী শর্তাবলী গ্রহণ করেছেন। ক্ষমতা',
  gujarati: 'વપરાશકર્તાએ સેવાની શરતો સ્વીકારી છે',
  punjabi: 'ਵਰਤੋਂਕਾਰ ਨੇ ਸੇਵਾ ਦੀਆਂ ਸ਼ਰਤਾਂ ਮੰਨ ਲਈਆਂ ਹਨ',
  tamil: 'பயனர் விதிமுறைகளை ஏற்றுக்கொண்டார் ஸ்ரீ',
  telugu: 'వినియోగదారు సేవా నిబంధనలను అంగీకరించారు',
  kannada: 'ಬಳಕೆದಾರರು ಸೇವಾ ನಿಯಮಗಳನ್ನು ಒಪ್ಪಿಕೊಂಡಿದ್ದಾರೆ',
  malayalam: 'ഉപയോക്താവ് സേവന വ്യവസ്ഥകൾ അംഗീകരിച്ചു',
  sinhala: 'පරිශීලකයා සේවා කොන්දේසි පිළිගත්තේය ශ්\u200dරී',
  thai: 'ผู้ใช้ยอมรับข้อกำหนดและเงื่อนไขการให้บริการแล้ว น้ำ',
  lao: 'ຜູ້ໃຊ້ໄດ້ຍອມຮັບເງື່ອນໄຂການບໍລິການ',
  khmer: 'អ្នកប្រើប្រាស់បានយល់ព្រម',
  amharic: 'ተጠቃሚው የአገልግሎት ውሎችን ተቀብሏል',
};

const WORDS: readonly (readonly string[])[] = [
  ['Anna', 'Müller', 'accepted', 'García'],
  ['Иван', 'Мария', 'Смирнова', 'условия'],
  ['דנה', 'כהן', 'הסכם', 'תנאים'],
  ['محمد', 'فاطمة', 'الشروط', 'الخدمة'],
  ['王伟', '服务协议', '隐私政策', '张敏'],
  ['田中', '利用規約', 'に同意', 'プライバシー'],
];

const FIELDS = Array.from({ length: 24 }, (_, at) => ({ label: `Field number ${at + 1}`, column: `c${at}` }));

/** One page of 24 fields. */
export const ONE_PAGE = layout({
  title: 'Acceptance record',
  subtitle: 'c0',
  sections: [
    { title: 'Acceptance', fields: FIELDS.slice(0, 12) },
    { title: 'Connection', fields: FIELDS.slice(12) },
  ],
});

export function layout(options: { readonly [option: string]: unknown }): PdfOptions {
  return formatOptions.parse({ type: 'pdf', name: 'id', ...options }) as PdfOptions;
}

/** A row of `ONE_PAGE` with Latin and one other script; always the same for a number. */
export function rowOf(number: number): Readonly<Record<string, string>> {
  const words = WORDS[number % WORDS.length] ?? [];
  const cells = FIELDS.map(({ column }, at) => {
    const drawn = scramble(number * 31 + at);
    const word = (by: number) => words[(drawn >>> by) % words.length];
    const text = [
      `${word(1)} ${word(5)} ${word(9)}`,
      `${drawn.toString(16)}-${scramble(drawn).toString(16)}-${scramble(drawn + 1)}`,
      `Value ${drawn % 1000} on 2026-0${1 + (drawn % 9)}-1${drawn % 10} by Chrome ${100 + (drawn % 50)}`,
    ][at % 3];
    return [column, text];
  });
  return { id: `doc-${String(number).padStart(7, '0')}`, ...Object.fromEntries(cells) };
}

/** 32 bits that look random. */
function scramble(number: number): number {
  const mixed = Math.imul(number ^ (number >>> 15), 0x2c1b3c6d);
  return (Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39) ^ (mixed >>> 15)) >>> 0;
}
